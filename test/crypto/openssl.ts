/** Debian's openssl, run in a directory of the test's own: the second opinion on all we write. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface OpenSsl {
  /** Runs `openssl ARGUMENTS` and returns what it printed; throws when it fails. */
  run(...words: string[]): string
  write(name: string, content: string | Uint8Array): void
  path(name: string): string
}

/** A directory that is gone after the test, with openssl in it. */
export function opensslDirectory(): OpenSsl {
  const directory = mkdtempSync(join(tmpdir(), 'keyreel-openssl-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return {
    run: (...words) =>
      execFileSync('openssl', words, { cwd: directory, encoding: 'utf8', stdio: 'pipe' }),
    write: (name, content) => writeFileSync(join(directory, name), content),
    path: (name) => join(directory, name),
  }
}
