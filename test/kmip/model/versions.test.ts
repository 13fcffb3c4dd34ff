import { describe, expect, it } from 'vitest'
import { version } from 'ttlv-codec'
import {
  newest,
  newestFirst,
  spokenFor,
  supported,
  version20,
  versionOf,
  versions,
} from '../../../src/kmip/model/versions.ts'

describe('versions', () => {
  it('are the seven published ones, oldest first', () => {
    expect(versions.map((row) => row.text)).toEqual([
      '1.0',
      '1.1',
      '1.2',
      '1.3',
      '1.4',
      '2.0',
      '2.1',
    ])
  })

  it('give number, major and minor that agree with the text', () => {
    for (const row of versions) {
      expect(row.number).toBe(version(row.text))
      expect(`${row.major}.${row.minor}`).toBe(row.text)
      expect(versionOf(row.major, row.minor)).toBe(row.number)
    }
  })

  it('are preferred newest first', () => {
    expect(newestFirst.map((row) => row.text)).toEqual([
      '2.1',
      '2.0',
      '1.4',
      '1.3',
      '1.2',
      '1.1',
      '1.0',
    ])
    expect(newest.text).toBe('2.1')
    expect(version20).toBe(0x200)
  })

  it('are supported exactly, not by their neighbours', () => {
    expect(supported(0x104)).toBe(true)
    expect(supported(0x105)).toBe(false)
    expect(supported(0x202)).toBe(false)
    expect(supported(0)).toBe(false)
  })

  it('read a later minor version as the newest of its major', () => {
    expect(spokenFor(0x105)?.text).toBe('1.4')
    expect(spokenFor(0x209)?.text).toBe('2.1')
    expect(spokenFor(0x102)?.text).toBe('1.2')
    expect(spokenFor(0x009)).toBeUndefined()
    expect(spokenFor(0x300)).toBeUndefined()
  })
})
