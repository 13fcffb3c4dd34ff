// What results look like: tables, pairs, JSON documents, progress.
import { describe, expect, test } from 'vitest'
import type { Context } from '../../src/cli/command.ts'
import {
  counted,
  isoMoment,
  jsonDocument,
  moment,
  pairs,
  styleFor,
  table,
} from '../../src/cli/output.ts'
import { progress, progressText } from '../../src/cli/progress.ts'
import { nearest } from '../../src/nearest.ts'
import { Collector } from './collector.ts'

const plain = styleFor(false)

describe('tables', () => {
  const columns = {
    NAME: (row: { name: string; keys?: number }) => row.name,
    KEYS: (row: { name: string; keys?: number }) => row.keys,
  }
  test('columns are as wide as their content and no line ends in spaces', () => {
    expect(table(columns, [{ name: 'alpha', keys: 12 }, { name: 'b' }], plain, 'none')).toBe(
      'NAME   KEYS\nalpha  12\nb      -',
    )
  })

  test('no rows are said in words', () => {
    expect(table(columns, [], plain, 'no libraries yet')).toBe('no libraries yet')
  })

  test('a name cannot move the cursor', () => {
    expect(table(columns, [{ name: 'a\u001B[1A' }], plain, '')).toContain('a\\u001b[1A')
  })

  test('pairs are aligned and leave out what is unknown', () => {
    const text = pairs(
      [
        ['Name', 'alpha'],
        ['Serial', undefined],
        ['Expires', 'soon'],
      ],
      plain,
    )
    expect(text).toBe('Name     alpha\nExpires  soon')
  })
})

describe('values', () => {
  test('JSON documents write bigints as numbers and bytes as hexadecimal', () => {
    const document = jsonDocument({ at: 5n, huge: 2n ** 64n, id: Uint8Array.of(1, 255) })
    expect(JSON.parse(document)).toEqual({ at: 5, huge: '18446744073709551616', id: '01ff' })
  })

  test('moments are UTC to the second', () => {
    expect(moment(1_795_348_800n)).toBe('2026-11-22 12:00:00Z')
    expect(isoMoment(1_795_348_800n)).toBe('2026-11-22T12:00:00Z')
    expect(moment(undefined)).toBeUndefined()
    expect(moment(2n ** 60n)).toBe('1152921504606846976 s')
  })

  test('counts agree with their noun', () => {
    expect([counted(1, 'key'), counted(2n, 'key'), counted(0, 'library', 'libraries')]).toEqual([
      '1 key',
      '2 keys',
      '0 libraries',
    ])
  })

  test('nearest finds slips and leaves strangers alone', () => {
    const words = ['list', 'show', 'revoke']
    expect(nearest('lsit', words)).toBe('list')
    expect(nearest('shwo', words)).toBe('show')
    expect(nearest('banana', words)).toBeUndefined()
  })
})

describe('progress', () => {
  test('shows count, rate and time left', () => {
    expect(progressText(1200, 5000, 3)).toBe('1200 of 5000, 400/s, 10 s left')
    expect(progressText(5, undefined, 2)).toBe('5, 2.5/s')
  })

  function reporter(terminal: boolean, quiet: boolean) {
    const stderr = new Collector()
    let time = 0
    const io = { stderr, isTerminal: () => terminal }
    const report = progress({ io, quiet } as unknown as Context, 'checked', 100, () => time)
    return {
      stepAt(at: number, done: number) {
        time = at
        report.step(done)
      },
      end: () => report.end(),
      read: () => stderr.take(),
    }
  }

  test('without a terminal it is a line every ten seconds', () => {
    const { stepAt, end, read } = reporter(false, false)
    stepAt(9_000, 10)
    stepAt(10_000, 20)
    stepAt(12_000, 30)
    end()
    expect(read()).toBe('checked: 20 of 100, 2.0/s, 40 s left\n')
  })

  test('on a terminal the line redraws itself and is cleared in the end', () => {
    const { stepAt, end, read } = reporter(true, false)
    stepAt(1000, 10)
    end()
    expect(read()).toBe('\r\u001B[Kchecked: 10 of 100, 10/s, 9 s left\r\u001B[K')
  })

  test('--quiet says nothing', () => {
    const { stepAt, end, read } = reporter(true, true)
    stepAt(60_000, 10)
    end()
    expect(read()).toBe('')
  })
})
