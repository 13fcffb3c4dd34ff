// Runs the server while its master key can be had. While it cannot, the process stays: the keystore is sealed, no
// port is open, so that libraries go elsewhere at once, and it waits for the key to come back or to be given.
import { setTimeout as delay } from 'node:timers/promises'
import { openDoor, type Door, type Offer } from '../admin/unseal-door.ts'
import { writeServerState } from '../admin/server-state.ts'
import { startServer, type RunningServer } from '../app.ts'
import type { Config } from '../config.ts'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import { describedStore } from '../keystore/describe-store.ts'
import { openMasterKey } from '../keystore/master-key-choice.ts'
import type { MasterKey } from '../keystore/master-key.ts'
import { recoveryMasterKey } from '../keystore/recovery-key.ts'
import { proveMasterKey } from '../keystore/sealing.ts'
import { splitAddress } from '../setting-kinds.ts'
import type { Context } from './command.ts'
import { masterKeySources, unattended } from './keystore-session.ts'
import { OffersInTurn } from './offers-in-turn.ts'
import { release } from './release.ts'

/** Milliseconds between two looks whether the master key is back. */
const lookAgain = 2_000

/** What ends the process: the name of a signal, once it came. */
export interface Stopping {
  readonly received: Promise<string>
}

/** Serves with that server until the process shall end (its signal), or the keystore is sealed. */
export type Serving = (server: RunningServer) => Promise<string | UserError>

/** Serves until the process shall end; sealed meanwhile when and as long as the master key is away. */
export async function serveWhileUnsealed(
  context: Context,
  stop: Stopping,
  serving: Serving,
): Promise<void> {
  const { log, say } = context
  let current: RunningServer | undefined
  const offers = new OffersInTurn()
  const door = await openDoor(context.config.data, (offer) =>
    current === undefined ? offers.put(offer) : givenToOpen(current, context, offer),
  )
  if (door === undefined)
    log.warn('the path of the data directory is too long for a socket: no master-key unseal')
  const started = Date.now()
  let sealed: UserError | undefined
  let isFirst = true
  try {
    for (;;) {
      const given = offers.take()
      if (sealed === undefined || given !== undefined || mayComeBack(sealed) || isFirst) {
        log.debug('trying to open the keystore')
        const opened = await attempt(context, given?.offer, isFirst)
        isFirst = false
        if (opened instanceof UserError) {
          given?.answer(opened)
          // What somebody tried in vain is told to them; the reason of the wait stays.
          if (sealed === undefined) {
            log.error({ alarm: true }, `sealed: ${opened.message}`)
            say(
              `sealed: ${opened.message}; the server waits. Open it with  keyreel master-key unseal`,
            )
            sealed = opened
          } else if (given === undefined) sealed = opened
        } else {
          current = opened
          sealed = undefined
          given?.answer(`unsealed; serving KMIP on ${opened.kmip}`)
          await offers.answerAll((offer) => givenToOpen(opened, context, offer))
          const end = await serving(opened)
          current = undefined
          if (typeof end === 'string') return
          log.error({ alarm: true }, `sealed: ${end.message}; the port is closed`)
          sealed = end
        }
      } else log.debug('what was refused is not tried again; waiting for another master key')
      if (sealed !== undefined) await noteSealed(context, sealed, started)
      const next = await pause(context, stop, offers.arrived)
      if (next === 'stop') return
      if (next === 'again') sealed = undefined
    }
  } finally {
    await offers.answerAll(() => Promise.reject(ending()))
    await closed(door)
  }
}

/** Waits for a signal, for something given, for SIGHUP, or for the next look. */
async function pause(
  context: Context,
  stop: Stopping,
  given: Promise<void>,
): Promise<'stop' | 'again' | 'look'> {
  const reload = Promise.withResolvers<'again'>()
  const off = context.io.onSignal('SIGHUP', () => reload.resolve('again'))
  const timer = new AbortController()
  try {
    return await Promise.race([
      given.then(() => 'look' as const),
      reload.promise,
      stop.received.then(() => 'stop' as const),
      delay(lookAgain, 'look' as const, { signal: timer.signal }),
    ])
  } finally {
    off()
    timer.abort()
  }
}

/** Starts the server, or says why the keystore stays sealed. Anything else is thrown. */
async function attempt(
  context: Context,
  offer: Offer | undefined,
  mayAsk: boolean,
): Promise<RunningServer | UserError> {
  const config = context.reloadConfig()
  try {
    const masterKey = await masterKeyFor(context, config, offer, mayAsk)
    return await startServer({
      data: config.data,
      listen: splitAddress(config.listen),
      ...(config.https !== undefined && {
        https: { ...splitAddress(config.https), path: config['https-path'] },
      }),
      masterKey,
      reopenMasterKey: () => openMasterKey(context.reloadConfig(), unattended(context)),
      config,
      version: release(),
      testMode: config['test-mode'],
      log: context.log,
    })
  } catch (error) {
    if (isSealing(error)) return error
    throw error
  } finally {
    offer?.secret.wipe()
  }
}

async function masterKeyFor(
  context: Context,
  config: Config,
  offer: Offer | undefined,
  mayAsk: boolean,
): Promise<MasterKey> {
  const sources = mayAsk && context.io.interactive ? masterKeySources(context) : unattended(context)
  if (offer === undefined || offer.kind === 'again') return openMasterKey(config, sources)
  if (offer.kind !== 'seed') {
    const given = { [offer.kind]: new Secret(Uint8Array.from(offer.secret.bytes)) }
    return openMasterKey(config, { ...sources, given })
  }
  const description = await describedStore(config.data, config.database)
  const masterKey = recoveryMasterKey(new Secret(Uint8Array.from(offer.secret.bytes)))
  if (!description.providers.includes(masterKey.id)) throw notOfThisStore()
  await proveMasterKey(masterKey, description.id, description.wraps)
  return masterKey
}

/** Something given while the keystore is open: the new master key after a rotation. */
async function givenToOpen(server: RunningServer, context: Context, offer: Offer): Promise<string> {
  if (!(await server.isRetired())) return `the keystore is open; serving KMIP on ${server.kmip}`
  const masterKey = await masterKeyFor(context, context.reloadConfig(), offer, false)
  await server.adoptMasterKey(masterKey)
  return 'the server goes on with the new master key'
}

/** Whether another look may find the key, without trying a secret that was wrong once more. */
function mayComeBack({ code }: UserError): boolean {
  return !/^(wrong|pin|no-terminal|short|empty)/.test(code)
}

function isSealing(error: unknown): error is UserError {
  const statuses: readonly number[] = [exitStatus.sealed, exitStatus.wrongPassphrase]
  return error instanceof UserError && statuses.includes(error.exitStatus)
}

async function noteSealed(
  { config, log }: Context,
  { message }: UserError,
  started: number,
): Promise<void> {
  const { listen: kmip } = config
  const nobody = { contacts: [], journals: [] }
  const state = { pid: process.pid, kmip, sealed: message, started, ...nobody }
  try {
    await writeServerState(config.data, state)
  } catch (error) {
    log.warn({ err: error }, 'cannot write down that the keystore is sealed')
  }
}

async function closed(door: Door | undefined): Promise<void> {
  await door?.close()
}

function ending(): UserError {
  return new UserError(
    'unsealing',
    'the server is ending, and has not tried what was given',
    'start it again:  keyreel serve',
    { exitStatus: exitStatus.sealed },
  )
}

function notOfThisStore(): UserError {
  return new UserError(
    'share-foreign',
    'these shares are not of the recovery key of this keystore',
    'take the shares of this keystore; nothing was changed',
  )
}
