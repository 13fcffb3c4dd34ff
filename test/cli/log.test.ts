// The log: JSON lines for machines, text for people, and never a secret.
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/crypto/secret.ts'
import { UserError } from '../../src/errors.ts'
import { openLog, printable, silentLog } from '../../src/log.ts'
import { Collector } from './collector.ts'

function collect(format: 'json' | 'text' | 'auto', isTerminal = false) {
  const destination = new Collector()
  const log = openLog({ level: 'info', format, destination, isTerminal, colour: false })
  return { log, read: () => destination.take() }
}

describe('secrets', () => {
  const bytes = Buffer.from('8f00b204e9800998ecf8427e8f00b204', 'hex')
  test.each(['json', 'text'] as const)('no depth of a %s line shows key bytes', (format) => {
    const { read, log } = collect(format)
    const secret = new Secret(new Uint8Array(bytes))
    log.info({ secret, a: { b: [{ secret, raw: bytes }] }, memory: bytes.buffer }, 'made a key')
    const line = read()
    expect(line).toContain('secret 16 bytes')
    expect(line).not.toContain('8f00b204')
    expect(line).not.toMatch(/143|"0":/)
  })
})

describe('lines', () => {
  test('JSON lines carry level, time, message and fields', () => {
    const { read, log } = collect('json')
    log.warn({ library: 'alpha', serial: 12n }, 'certificate expires soon')
    expect(JSON.parse(read())).toMatchObject({
      level: 'warn',
      msg: 'certificate expires soon',
      library: 'alpha',
      serial: '12',
    })
  })

  test('text lines read as time, level, message, fields', () => {
    const { read, log } = collect('text')
    log.info({ library: 'alpha', reason: 'two words' }, 'refused')
    expect(read()).toMatch(/^\d\d:\d\d:\d\d info {2}refused library=alpha reason="two words"\n$/)
  })

  test('auto writes text on a terminal and JSON elsewhere', () => {
    const terminal = collect('auto', true)
    terminal.log.info('hello')
    expect(terminal.read()).toMatch(/info {2}hello/)
    const file = collect('auto', false)
    file.log.info('hello')
    expect(file.read()).toMatch(/^\{/)
  })

  test('levels below the set one are left out', () => {
    const { read, log } = collect('json')
    log.debug('quiet')
    silentLog().error('nobody reads this')
    expect(read()).toBe('')
  })

  test('an error logs its message and where it came from', () => {
    const { read, log } = collect('text')
    log.error({ err: new TypeError('no such thing') }, 'request failed')
    expect(read()).toContain('request failed no such thing\nTypeError: no such thing\n')
  })

  test('what an administrator can put right is logged with its hint and without a stack', () => {
    const { log, read } = collect('text')
    log.error({ err: new UserError('full', 'disk full', 'free some space') }, 'reload failed')
    expect(read()).toMatch(/reload failed disk full\nhint: free some space\n$/)
  })

  test('control codes of others are shown, not obeyed', () => {
    const { read, log } = collect('text')
    log.info({ subject: 'CN=\u001B[2Jx' }, 'from \u202Eelsewhere')
    expect(read()).not.toMatch(/[\u001B\u202E]/)
    expect(printable('a\u001Bb\r\n')).toBe('a\\u001bb\\u000d\\u000a')
  })
})
