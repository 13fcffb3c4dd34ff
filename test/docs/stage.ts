// Where a page is played: a temporary directory that looks like a clone, in which data directories and
// kits may be made, with a port of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../fixtures/free-port.ts'
import { makeCluster, type Cluster } from '../fixtures/postgres.ts'
import type { Step } from './page.ts'

const root = resolve(import.meta.dirname, '../..')

/** What a clone has that commands of the documentation use. */
const linked = ['package.json', 'node_modules', 'src', 'simulator', 'test', 'certs', 'scripts']

/** Ports that pages name. */
const saidPorts = ['5696', '5697']

/** Databases that pages name: a primary, which is made when a page needs it, and its standby. */
export const saidDatabase = 'postgres://keyreel@db1.example.org/keyreel'
const saidStandby = 'postgres://keyreel@db2.example.org/keyreel'

/** Longest time of one block, and of a server until it is ready, in milliseconds. */
const patience = { run: 120_000, ready: 60_000, stop: 15_000 }

/** What a step left behind. */
export interface Played {
  readonly status: number | null
  /** Standard output and standard error as they came. */
  readonly output: string
}

/** How commands are run. */
export interface StageOptions {
  /** Whether `npx keyreel` goes through npx; without it the same file is run at once, which saves time. */
  readonly throughNpx: boolean
}

/** A directory with commands running in it. */
export class Stage {
  readonly #directory: string
  /** By the port that pages say. */
  readonly #ports: ReadonlyMap<string, number>
  readonly #throughNpx: boolean
  #server: ChildProcess | undefined
  #cluster: Cluster | undefined
  #outputs = 0

  private constructor(
    directory: string,
    ports: ReadonlyMap<string, number>,
    { throughNpx }: StageOptions,
  ) {
    this.#directory = directory
    this.#ports = ports
    this.#throughNpx = throughNpx
  }

  static async open(options: StageOptions): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'keyreel-docs-'))
    for (const name of linked) await symlink(join(root, name), join(directory, name))
    const ports = new Map<string, number>()
    for (const said of saidPorts) ports.set(said, await freePort())
    return new Stage(directory, ports, options)
  }

  /** Plays one step of a page. */
  async play(step: Step): Promise<Played> {
    if ('script' in step && step.script.includes(saidDatabase)) await this.#startDatabase()
    if (step.kind === 'file') {
      await writeFile(join(this.#directory, step.name), this.#adapted(step.text))
      return { status: 0, output: '' }
    }
    if (step.kind === 'stop') return this.#stop()
    return step.kind === 'start' ? this.#start(step.script) : this.#run(step.script)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
    await this.#cluster?.remove()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #startDatabase(): Promise<void> {
    if (this.#cluster !== undefined) return
    this.#cluster = await makeCluster()
    await this.#cluster.start('fsync=on')
  }

  async #run(script: string): Promise<Played> {
    const { child, file } = this.#spawn(script)
    const late = setTimeout(() => signal(child, 'SIGKILL'), patience.run)
    await ended(child)
    clearTimeout(late)
    return { status: child.exitCode, output: await this.#outputOf(file) }
  }

  async #start(script: string): Promise<Played> {
    await this.#stop()
    const { child, file } = this.#spawn(script)
    this.#server = child
    const wanted = serversIn(script)
    const until = performance.now() + patience.ready
    while (performance.now() < until && child.exitCode === null) {
      const output = await this.#outputOf(file)
      if ((output.match(/^ready /gm) ?? []).length >= wanted) return { status: 0, output }
      await delay(50)
    }
    return { status: child.exitCode, output: await this.#outputOf(file) }
  }

  /** Ctrl-C, as at a terminal: every process of the group gets it. */
  async #stop(): Promise<Played> {
    const child = this.#server
    this.#server = undefined
    if (child === undefined) return { status: 0, output: '' }
    signal(child, 'SIGINT')
    const late = setTimeout(() => signal(child, 'SIGKILL'), patience.stop)
    await ended(child)
    clearTimeout(late)
    return { status: child.signalCode === 'SIGKILL' ? null : 0, output: '' }
  }

  /** One file for both streams keeps their order. */
  #spawn(script: string): { child: ChildProcess; file: string } {
    const file = join(this.#directory, `.output-${++this.#outputs}`)
    const output = openSync(file, 'w')
    try {
      const child = spawn('sh', ['-eu', '-c', this.#adapted(script)], {
        cwd: this.#directory,
        env: this.#environment(),
        stdio: ['ignore', output, output],
        detached: true,
      })
      return { child, file }
    } finally {
      closeSync(output)
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(KEYREEL|TAP|NODE_OPT)/.test(name),
    )
    return {
      ...Object.fromEntries(own),
      PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      KEYREEL_LISTEN: `127.0.0.1:${this.#ports.get('5696')}`,
      NO_COLOR: '1',
      npm_config_loglevel: 'error',
      npm_config_update_notifier: 'false',
    }
  }

  /** Pages say 5696 and 5697; several pages may be played at a time. */
  #adapted(text: string): string {
    let ported = text
    for (const [said, port] of this.#ports) ported = ported.replaceAll(said, String(port))
    if (this.#cluster) {
      // The standby is not there, which the primary makes up for.
      ported = ported
        .replaceAll(saidDatabase, `'${this.#cluster.url}'`)
        .replaceAll(saidStandby, 'postgres://keyreel@127.0.0.1:1/keyreel')
    }
    return this.#throughNpx
      ? ported
      : ported.replaceAll(/\bnpx (keyreel(?:-simulator)?)\b/g, directly)
  }

  async #outputOf(file: string): Promise<string> {
    let text = await readFile(file, 'utf8')
    for (const [said, port] of this.#ports) {
      text = text.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), said)
    }
    return text
  }
}

const programs: Readonly<Record<string, string>> = {
  keyreel: 'src/cli/keyreel.js',
  'keyreel-simulator': 'simulator/keyreel-simulator.js',
}

function directly(_match: string, program: string): string {
  return `node ${programs[program]}`
}

/** A block may start several servers, all but the last in the background; each says that it is ready. */
function serversIn(script: string): number {
  return script.split(/&$/m).length
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
