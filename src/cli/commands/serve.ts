// `keyreel serve`: runs the server until SIGTERM or SIGINT; makes an absent data directory first.
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { writeServerState } from '../../admin/server-state.ts'
import type { RunningServer } from '../../app.ts'
import type { Config } from '../../config.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { initialise } from '../../initialise.ts'
import { journalsFor } from '../../keystore/journal-wish.ts'
import { isInitialised } from '../../keystore/data-directory.ts'
import type { Log } from '../../log.ts'
import { hasPassphraseAtHand, readNewPassphrase } from '../../keystore/master-key-choice.ts'
import type { MasterKeyWish } from '../../keystore/master-key-choice.ts'
import { command } from '../command.ts'
import type { Context } from '../command.ts'
import type { Io } from '../io.ts'
import { keystoreExits, masterKeySources } from '../keystore-session.ts'
import { serveWhileUnsealed } from '../serving.ts'
import { madeText } from './init.ts'

/** Milliseconds between two notes of who was last seen; a client seen for the first time is noted sooner. */
const stateEvery = 30_000
const newcomersEvery = 2_000
/** Milliseconds from the signal to the end of the process. */
const longestStop = 9_500

export const serve = command({
  words: 'serve',
  summary: 'serve KMIP to tape libraries',
  details:
    'Makes the data directory first when there is none. Prints one line on standard output, ' +
    '"ready kmip=HOST:PORT", once connections are accepted, with " https=HOST:PORT" behind it where ' +
    'KMIP is served over HTTPS too. SIGTERM and SIGINT end it after the ' +
    'requests under way are answered; SIGHUP reads configuration and certificates again. Without its ' +
    'master key it stays up sealed, with no port open, until the key is there or keyreel master-key unseal gives it. ' +
    'With --journal every change of a keystore in a file is on another disk too before it counts; each further --journal is a further copy.',
  settings: [
    'listen',
    'https',
    'https-path',
    'pkcs11.module',
    'pkcs11.token',
    'pkcs11.pin-file',
    'tls.ciphers',
    'checkpoint',
    'checkpoint-interval',
    'syslog',
    'journal',
    'database-silence',
    'test-mode',
  ],
  exits: keystoreExits.filter((status) => status !== exitStatus.notInitialised),
  examples: ['serve', 'serve --data /var/lib/keyreel --listen 0.0.0.0:5696 --https 0.0.0.0:5697'],
  ownSignals: true,
  async run({ context }) {
    const { config, log, announce } = context
    const stop = stopSignal(context.io)
    try {
      // A wrong one is told before anything is made.
      journalsFor({ directory: config.data, database: config.database }, config.journal, log)
      if (!isInitialised(config.data)) await makeFirst(context)
      if (config['test-mode']) log.warn('test mode: not for real tapes')
      let announced = false
      await serveWhileUnsealed(context, stop, async (server) => {
        const ready = readyLine(server)
        // Once in the life of the process: who waits for it wants to know that the start is over.
        const announceOnce = () => {
          if (!announced) announce(ready)
          announced = true
        }
        return serveUntilEnd(server, context, stop, announceOnce)
      })
    } finally {
      stop.off()
    }
    return { json: undefined, text: '' }
  },
})

/** Serves until a signal comes, or the master key is taken away. */
async function serveUntilEnd(
  server: RunningServer,
  context: Context,
  stop: { readonly received: Promise<string> },
  ready: () => void,
): Promise<string | UserError> {
  const { config, log, say } = context
  const started = Date.now()
  const record = () => recordState(config.data, server, started, log)
  const recording = setInterval(() => void record(), stateEvery).unref()
  let known = 0
  let journals = journalStates(server)
  const newcomers = setInterval(() => {
    const clients = server.clients().length
    const states = journalStates(server)
    if (clients > known || states !== journals) void record()
    known = clients
    journals = states
  }, newcomersEvery).unref()
  const offReload = context.io.onSignal('SIGHUP', () => void reload(server, context))
  try {
    await record()
    const { kmip, https } = server
    const second = https === undefined ? '' : `, over HTTPS on ${https}${config['https-path']}`
    say(`serving KMIP on ${kmip}${second} from ${config.data}; Ctrl-C stops it`)
    ready()
    // It keeps the processor busy: with many keys those who wait for a server would wait for this.
    server.verify()
    const end = await Promise.race([stop.received, server.sealed])
    if (typeof end === 'string') say(`${end}: answering what is under way, then stopping`)
    return end
  } finally {
    clearInterval(recording)
    clearInterval(newcomers)
    offReload()
    await record()
    await inTime(server.close(), log)
  }
}

function journalStates(server: RunningServer): string {
  return server
    .journals()
    .map(({ state }) => state)
    .join(' ')
}

function readyLine({ kmip, https }: RunningServer): string {
  return `ready kmip=${kmip}${https === undefined ? '' : ` https=${https}`}`
}

/** Resolves at the first SIGTERM or SIGINT, also one that comes while the server still starts. */
function stopSignal(io: Io): { received: Promise<string>; off: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>()
  const offs = (['SIGTERM', 'SIGINT'] as const).map((name) =>
    io.onSignal(name, () => resolve(name)),
  )
  return { received: promise, off: () => offs.forEach((off) => off()) }
}

/** Waits for the server to end, but not for ever: the process exits within 10 s of the signal. */
async function inTime(closing: Promise<void>, log: Log): Promise<void> {
  const patience = new AbortController()
  const late = delay(longestStop, 'late', { signal: patience.signal }).catch(() => 'in time')
  if ((await Promise.race([closing, late])) === 'late') log.error('work under way was cut off')
  patience.abort()
}

/** Applies what can change while the server runs, and names what cannot. */
async function reload(server: RunningServer, context: Context): Promise<void> {
  const { log, config: before } = context
  try {
    const after = context.reloadConfig()
    log.level = after['log.level']
    await server.reload()
    const waiting = changedKeys(before, after).filter((key) => key !== 'log.level')
    log.info('configuration and certificates read again')
    if (waiting.length > 0) log.warn({ settings: waiting }, 'these settings change at a restart')
  } catch (error) {
    log.error({ err: error }, 'reload failed; the server goes on as before')
  }
}

function changedKeys(before: Config, after: Config): string[] {
  const keys = Object.keys(after) as (keyof Config)[]
  return keys.filter((key) => !isDeepStrictEqual(before[key], after[key]))
}

/** Leaves in the data directory what `status` shows of a running server. */
async function recordState(
  data: string,
  server: RunningServer,
  started: number,
  log: Log,
): Promise<void> {
  try {
    const contacts = [...server.clients()]
    const { kmip, https } = server
    const journals = [...server.journals()]
    await writeServerState(data, { pid: process.pid, kmip, https, started, contacts, journals })
  } catch (error) {
    log.warn({ err: error }, 'cannot write down when clients were last seen')
  }
}

/** Makes the data directory, and says what it made. */
async function makeFirst(context: Context): Promise<void> {
  const { config, io, say, style } = context
  say(`there is no keystore in ${config.data} yet: making one`)
  const masterKey = await firstMasterKey(context)
  try {
    const { data, database, node } = config
    const made = await initialise({ data, database, node, hosts: [], masterKey, now: io.now })
    say(`${madeText(made, style)}\n`)
    say('next, in another terminal:  keyreel library add NAME --out DIR\n')
  } catch (error) {
    // An earlier init was cut off after its work was complete: it has just been put in place.
    if (!(error instanceof UserError && error.code === 'initialised')) throw error
  }
}

/** A passphrase when one is at hand and no key file is named, else a key file. */
async function firstMasterKey(context: Context): Promise<MasterKeyWish> {
  const { config } = context
  const path = config['master-key-file']
  const sources = masterKeySources(context)
  const hasPassphrase = path === undefined && hasPassphraseAtHand(config, sources)
  if (!hasPassphrase) return { kind: 'file', path }
  return {
    kind: 'passphrase',
    passphrase: await readNewPassphrase(config['passphrase-file'], sources),
  }
}
