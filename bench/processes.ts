/** Child processes of the benchmark: started, waited for, and their processor time read. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** Starts a program of Node and waits for its line that begins with `ready`. */
export async function started(
  args: readonly string[],
): Promise<{ child: ChildProcess; ready: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (errors = (errors + text).slice(-4000)))
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${args[0]} ended early:\n${errors}`)
  })
  const line = once(lines, 'line').then(([text]) => String(text))
  const ready = await Promise.race([line, ended])
  ended.catch(() => undefined)
  return { child, ready }
}

/** Ends a program and waits for it. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

/** Runs a program to its end with `input` on standard input; answers its standard output. */
export async function output(args: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdin.end(input)
  const [status] = (await once(child, 'close')) as [number]
  if (status !== 0) throw new Error(`${args.join(' ')} failed (${status}):\n${errors}`)
  return out
}

/** Milliseconds of processor time a process has used (Linux: user and system ticks of 10 ms). */
export function processorTime({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** MiB of memory that a process has resident (Linux). */
export function residentMemory({ pid }: ChildProcess): number {
  const kib = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]
  return Number(kib) / 1024
}
