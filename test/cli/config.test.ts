// Settings: where a value comes from, and what the administrator reads when one is wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environmentName, everySetting, settle } from '../../src/config.ts'
import type { ConfigSources } from '../../src/config.ts'
import { UserError } from '../../src/errors.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(text: string): string {
  const path = join(folder, 'keyreel.toml')
  writeFileSync(path, text)
  return path
}

function settled(sources: Partial<ConfigSources>) {
  return settle({ flags: {}, environment: {}, ...sources })
}

function refusal(sources: Partial<ConfigSources>): UserError {
  try {
    settled(sources)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('sources', () => {
  test('without any, every setting has its default', () => {
    const config = settled({})
    expect(config.data).toBe('./keyreel-data')
    expect(config.listen).toBe('127.0.0.1:5696')
    expect(config.limits.handshakeTime).toBe(10_000)
    expect(config['master-key-file']).toBeUndefined()
  })

  test('a flag wins over the environment, and that over the file', () => {
    const path = file('listen = "127.0.0.1:1"')
    const environment = { KEYREEL_LISTEN: '127.0.0.1:2' }
    expect(settled({ file: path }).listen).toBe('127.0.0.1:1')
    expect(settled({ file: path, environment }).listen).toBe('127.0.0.1:2')
    const flags = { listen: '127.0.0.1:3' }
    expect(settled({ file: path, environment, flags }).listen).toBe('127.0.0.1:3')
  })

  test('an empty variable counts as absent', () => {
    expect(settled({ environment: { KEYREEL_DATA: '' } }).data).toBe('./keyreel-data')
  })

  test('a path in the file is relative to the file', () => {
    expect(settled({ file: file('data = "store"') }).data).toBe(join(folder, 'store'))
  })

  test('several journals are a list in the file, and have a colon between them elsewhere', () => {
    const both = [join(folder, 'second'), '/mnt/third disk']
    expect(settled({ file: file('journal = ["second", "/mnt/third disk"]') }).journal).toEqual(both)
    expect(settled({ file: file('journal = "second"') }).journal).toEqual([join(folder, 'second')])
    const environment = { KEYREEL_JOURNAL: both.join(':') }
    expect(settled({ environment }).journal).toEqual(both)
    expect(refusal({ file: file('journal = []') })).toMatchObject({ exitStatus: 2 })
    expect(refusal({ environment: { KEYREEL_JOURNAL: 'one::two' } }).exitStatus).toBe(2)
  })

  test('limits are read with their units', () => {
    const path = file('[limits]\nidle-time = "30m"\nmessage-bytes = "2MiB"\nconnections = 10')
    const { limits } = settled({ file: path })
    expect(limits).toMatchObject({ idleTime: 1_800_000, messageBytes: 2 ** 21, connections: 10 })
    const environment = { KEYREEL_LIMITS_CONNECTIONS: '7' }
    expect(settled({ file: path, environment }).limits.connections).toBe(7)
  })

  test('every setting has its own environment variable and a help text', () => {
    const names = Object.keys(everySetting).map(environmentName)
    expect(new Set(names).size).toBe(names.length)
    for (const row of Object.values(everySetting)) expect(row.help).not.toBe('')
  })
})

describe('what is wrong is named, with exit status 2 and a hint', () => {
  test('a misspelled key suggests the one that was meant', () => {
    const error = refusal({ file: file('lisen = "127.0.0.1:1"') })
    expect(error).toMatchObject({ code: 'config-key', exitStatus: 2 })
    expect(error.message).toContain('unknown key lisen')
    expect(error.hint).toBe('did you mean listen?')
  })

  test('a misspelled key of a table suggests the whole key', () => {
    const error = refusal({ file: file('[limits]\nidletime = "1m"') })
    expect(error.message).toContain('unknown key limits.idletime')
    expect(error.hint).toBe('did you mean limits.idle-time?')
  })

  test('a key like no other lists the known ones', () => {
    expect(refusal({ file: file('colour = "blue"') }).hint).toContain('listen')
  })

  test('a TOML mistake names the line', () => {
    const error = refusal({ file: file('data = "a"\nlisten = \n') })
    expect(error).toMatchObject({ code: 'config-syntax', exitStatus: 2 })
    expect(error.message).toContain('line 2')
  })

  test('a file that is not there', () => {
    const error = refusal({ file: join(folder, 'absent.toml') })
    expect(error).toMatchObject({ code: 'config-unreadable', exitStatus: 2 })
  })

  test.each([
    ['listen', 'nowhere'],
    ['listen', '127.0.0.1:70000'],
    ['log.level', 'loud'],
    ['limits.idle-time', '30'],
    ['limits.idle-time', '30 fortnights'],
    ['limits.connections', '0'],
    ['limits.connections', '-1'],
    ['limits.message-bytes', '1MB'],
    ['test-mode', 'perhaps'],
  ])('%s = %s', (key, value) => {
    const error = refusal({ environment: { [environmentName(key)]: value } })
    expect(error).toMatchObject({ code: 'config-value', exitStatus: 2 })
    expect(error.message).toContain(environmentName(key))
    expect(error.hint).toContain('such as')
  })

  test('a value of the wrong type in the file shows one of the right type', () => {
    const error = refusal({ file: file('[limits]\nidle-time = 30') })
    expect(error.message).toContain('limits.idle-time: expected a time')
    expect(error.hint).toBe('write for example idle-time = "30s"')
  })

  test('a table where a value is wanted, and a value where a table is', () => {
    expect(refusal({ file: file('[listen]\nhost = "a"') }).message).toContain('listen: expected')
    expect(refusal({ file: file('limits = 3') }).hint).toBe('[limits] is a table of settings')
  })
})
