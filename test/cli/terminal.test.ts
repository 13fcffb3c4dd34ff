// keyreel at a real terminal, which `script` of util-linux makes; without it the suite is left out.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
const hasScript = /util-linux/.test(spawnSync('script', ['--version']).stdout?.toString() ?? '')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-terminal-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a command line at a terminal of so many columns, and types each of the texts once its words are on the screen. */
async function atTerminal(columns: number, line: string, ...typed: (readonly [string, string])[]) {
  const shell = `stty cols ${columns}; exec '${process.execPath}' '${program}' ${line}`
  const child = spawn('script', ['-qec', shell, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
  })
  let screen = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    const [words, keys] = typed[0] ?? []
    if (words === undefined || !screen.includes(words, seen)) return
    seen = screen.length
    typed.shift()
    child.stdin.write(keys)
  })
  if (child.exitCode === null) await once(child, 'close')
  return { status: child.exitCode, screen }
}

describe.skipIf(!hasScript)('a question', () => {
  test.each([0, 80])('is asked and answered on a terminal of %d columns', async (columns) => {
    const words = 'one two three four\r'
    const line = `init --data data${columns} --master-key passphrase`
    const { status, screen } = await atTerminal(
      columns,
      line,
      ['new master passphrase', words],
      ['once more', words],
    )
    expect(screen).toContain('its SHA-256')
    expect(status).toBe(0)
  })

  test('is over at Ctrl-D: interrupted, and without a warning', async () => {
    const line = 'init --data none --master-key passphrase'
    const { status, screen } = await atTerminal(80, line, ['new master passphrase', '\u0004'])
    expect(screen).toMatch(/interrupted\r\n$/)
    expect(screen).not.toContain('Warning')
    expect(status).toBe(130)
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })
})
