// A real keyreel, as a process of its own and driven by the words of its command line.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const program = join(import.meta.dirname, '../../src/cli/keyreel.js')

/** Longest wait for the `ready` line, and for the end after SIGTERM, in milliseconds. */
const patience = { ready: 20_000, stop: 10_000 }

/** That of this process without the user's settings for keyreel: they are not the demo's. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('KEYREEL_')),
  ),
  NO_COLOR: '1',
}

/** Every process that runs now, so that none outlives the demo. */
const running = new Set<ChildProcess>()

/** Kills what still runs; resolves when it is gone. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL')
      await ended(child)
    }),
  )
}

/** Runs one keyreel command and gives what it printed; rejects with what it said went wrong. */
export async function keyreel(...args: readonly string[]): Promise<string> {
  const child = spawnKeyreel(args)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await once(child, 'close')
  if (child.exitCode === 0) return stdout.trimEnd()
  throw new Error(`keyreel ${args.slice(0, 2).join(' ')} failed: ${stderr.trim()}`)
}

/** A running `keyreel serve`. */
export class KeyreelProcess {
  readonly host: string
  readonly port: number
  readonly #child: ChildProcess
  readonly #log: () => string

  private constructor(
    child: ChildProcess,
    address: { host: string; port: number },
    log: () => string,
  ) {
    this.#child = child
    this.host = address.host
    this.port = address.port
    this.#log = log
  }

  /** Starts a server on a data directory; `port` 0 takes a free one. Resolves once it is ready. */
  static async start(data: string, port = 0): Promise<KeyreelProcess> {
    const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`]
    const child = spawnKeyreel(args)
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    try {
      return new KeyreelProcess(child, await readyAddress(child), () => log)
    } catch (error) {
      child.kill('SIGKILL')
      throw new Error(`keyreel serve did not start: ${log.trim()}`, { cause: error })
    }
  }

  /** What it has written on standard error. */
  get log(): string {
    return this.#log()
  }

  /** SIGKILL: no chance to finish anything. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Resolves when the process is gone. */
  ended(): Promise<void> {
    return ended(this.#child)
  }

  /** Asks it to end and waits; one that does not is killed. Gives its exit status. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), patience.stop)
    await this.ended()
    clearTimeout(timer)
    return this.#child.exitCode
  }
}

function spawnKeyreel(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function readyAddress(child: ChildProcess): Promise<{ host: string; port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ host: string; port: number }>()
  const timer = setTimeout(
    () => reject(new Error(`not ready within ${patience.ready} ms`)),
    patience.ready,
  )
  child.once('close', (status) => reject(new Error(`ended with status ${status}`)))
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const [, host, port] = /^ready kmip=(\S+):(\d+)/u.exec(line) ?? []
    if (host !== undefined) resolve({ host, port: Number(port) })
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
