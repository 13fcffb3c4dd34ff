/** A site with a recovery key whose shares are kept by the test. */
import { administrator } from '../../src/access/documents.ts'
import { Secret } from '../../src/crypto/secret.ts'
import type { RecoveryShare } from '../../src/keystore/recovery-share.ts'
import { setUpRecovery } from '../../src/keystore/recovery-setup.ts'
import { newSite, type Site } from './site.ts'

/** Two of its three shares open everything. */
export async function recoverable(
  options: Parameters<typeof newSite>[0] = {},
): Promise<{ site: Site; shares: RecoveryShare[] }> {
  const site = await newSite(options)
  const shares: RecoveryShare[] = []
  await setUpRecovery(site.store, {
    threshold: 2,
    holders: [{ number: 1 }, { number: 2 }, { number: 3 }],
    actor: administrator,
    handOut(_, made) {
      for (const share of made) {
        shares.push({ ...share, value: new Secret(Uint8Array.from(share.value.bytes)) })
      }
    },
  })
  return { site, shares }
}
