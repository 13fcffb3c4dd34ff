// `keyreel serve`: runs the server until SIGTERM or SIGINT; makes an absent data directory first.
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
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
import { Interrupted } from '../dialogue.ts'
import type { Io } from '../io.ts'
import { keystoreExits, masterKeySources } from '../keystore-session.ts'
import { serveWhileUnsealed } from '../serving.ts'
import { exposedText, madeText } from './init.ts'

/** Milliseconds between two notes of who was last seen; a client seen for the first time is noted sooner. */
const stateEvery = 30_000
const newcomersEvery = 2_000
/** Milliseconds from the signal to the end of the process. */
const longestStop = 9_500

const nothing = { json: undefined, text: '' }

export const serve = command({
  words: 'serve',
  summary: 'serve KMIP to tape libraries',
  details:
    'Makes the data directory first when there is none. Prints one line on standard output, ' +
    '"ready kmip=HOST:PORT", once connections are accepted, with " https=HOST:PORT" behind it where ' +
    'KMIP is served over HTTPS too. SIGTERM and SIGINT end it after the ' +
    'requests under way are answered; SIGHUP reads configuration and certificates again. Without its ' +
    'master key it stays up sealed, with no port open, until the key is there or given by keyreel master-key unseal. ' +
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
  async run({ context: given }) {
    const stop = stopSignal(given.io)
    const reloads = reloadSignal(given.io)
    // Whoever is asked for the passphrase need not answer a server that shall end.
    const context = { ...given, ending: stop.signal }
    const { config, log, announce } = context
    const patience = new AbortController()
    try {
      // A wrong one is told before anything is made.
      journalsFor({ directory: config.data, database: config.database }, config.journal, log)
      // Signals that came while there was no time for them.
      await turn()
      if (!stop.signal.aborted && !isInitialised(config.data)) await makeFirst(context)
      if (stop.signal.aborted) return nothing
      if (config['test-mode']) log.warn('test mode: not for real tapes')
      let announced = false
      const served = serveWhileUnsealed(context, stop, async (server) => {
        const ready = readyLine(server)
        // Once in the life of the process: who waits for it wants to know that the start is over.
        const announceOnce = () => {
          if (!announced) announce(ready)
          announced = true
        }
        return serveUntilEnd(server, context, { stop, reloads, ready: announceOnce })
      })
      await Promise.race([served, tooLong(stop, log, patience.signal)])
    } catch (error) {
      if (!(error instanceof Interrupted && stop.signal.aborted)) throw error
    } finally {
      patience.abort()
      reloads.off()
      stop.off()
    }
    return nothing
  },
})

/** Serves until a signal comes, or the master key is taken away. */
async function serveUntilEnd(
  server: RunningServer,
  context: Context,
  { stop, reloads, ready }: { stop: Stop; reloads: ReloadSignal; ready: () => void },
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
  reloads.handle(() => void reload(server, context))
  try {
    await record()
    if (stop.signal.aborted) return await stop.received
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
    reloads.handle(undefined)
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
function stopSignal(io: Io): Stop {
  const { promise, resolve } = Promise.withResolvers<string>()
  const ending = new AbortController()
  const offs = (['SIGTERM', 'SIGINT'] as const).map((name) =>
    io.onSignal(name, () => {
      resolve(name)
      ending.abort()
    }),
  )
  return { received: promise, signal: ending.signal, off: () => offs.forEach((off) => off()) }
}

interface Stop {
  readonly received: Promise<string>
  readonly signal: AbortSignal
  off(): void
}

/** SIGHUP, for which there is always somebody: one that comes while nothing is served is kept for the next to serve. */
function reloadSignal(io: Io): ReloadSignal {
  let handler: (() => void) | undefined
  let isWanted = false
  const off = io.onSignal('SIGHUP', () => {
    if (handler === undefined) isWanted = true
    else handler()
  })
  return {
    off,
    handle(next) {
      handler = next
      if (next === undefined || !isWanted) return
      isWanted = false
      next()
    },
  }
}

interface ReloadSignal {
  /** Who reloads from now on; nobody for undefined. */
  handle(handler: (() => void) | undefined): void
  off(): void
}

/** Resolves when a start that shall end is not over in time; what it makes is made whole or not at all. */
async function tooLong(stop: Stop, log: Log, signal: AbortSignal): Promise<void> {
  await stop.received
  // Serving ends before that by itself.
  await delay(longestStop + 300, undefined, { signal }).catch(() => undefined)
  if (!signal.aborted) log.error('the start was cut off')
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
    if (made.isExposed) say(exposedText(made))
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
