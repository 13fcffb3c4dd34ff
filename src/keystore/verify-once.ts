// Verification of everything once after the start of a server.
import { contentsCheck } from './contents-check.ts'
import type { Store } from './store.ts'

/**
 * Walks the audit chains and every row once after the start, beside the service: a row put back while
 * the server stood still shows here and not at Get.
 */
export async function verifyOnce(
  store: Pick<Store, 'auditVerify'>,
  log: {
    info(fields: object, text: string): void
    error(fields: object, text: string): void
  },
  isStopping: () => boolean,
): Promise<void> {
  try {
    const { problems, more, objects } = await store.auditVerify({ contents: contentsCheck })
    for (const { kind, subject, message } of problems) {
      log.error({ alarm: true, kind, subject }, `verification of the keystore: ${message}`)
    }
    if (more) log.error({ alarm: true }, 'there are more problems: keyreel audit verify')
    if (problems.length === 0) log.info({ objects }, 'the keystore is verified')
  } catch (error) {
    // The store is closed under a walk that the server need not wait for.
    if (isStopping()) return
    log.error({ err: error, alarm: true }, 'the keystore could not be verified')
  }
}
