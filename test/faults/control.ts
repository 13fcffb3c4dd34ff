// The library that makes system calls fail, and the file that tells it which: the process under test has it mapped.
// Needs a C compiler.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, 'failing.c')

/** What fails, by the bits that the library knows, and how often in 256 calls (255: always). */
export interface Trouble {
  readonly name: string
  readonly what: number
  readonly often: number
}

/** Which calls fail: kinds to add up. */
export const failing = { write: 1, sync: 2, read: 4, readOnly: 8, full: 16 } as const

/** Compiles the library into a folder; answers what a process under it has in its environment. */
export function failingUnder(
  folder: string,
  live: string,
  control: Control,
): Readonly<Record<string, string>> {
  const library = join(folder, 'failing.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  return { LD_PRELOAD: library, FAULTS_LIVE: live, FAULTS_CONTROL: control.path }
}

/** The file that says what fails. */
export class Control {
  readonly path: string
  readonly #file: number

  constructor(path: string) {
    this.path = path
    writeFileSync(path, Buffer.alloc(4096))
    this.#file = openSync(path, 'r+')
  }

  /** From now on; nothing by default. */
  set({ what, often }: Pick<Trouble, 'what' | 'often'> = { what: 0, often: 0 }): void {
    writeSync(this.#file, Uint8Array.of(often), 0, 1, 1)
    writeSync(this.#file, Uint8Array.of(what), 0, 1, 0)
  }

  get failed(): number {
    const bytes = Buffer.alloc(4)
    readSync(this.#file, bytes, 0, 4, 4)
    return bytes.readUInt32LE()
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
