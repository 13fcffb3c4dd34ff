// A full disk: nothing is acknowledged that is not kept; keys are handed out from the reserve, new ones refused.
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DiskReserve, reserveFile, type RoomKeeper } from '../../src/keystore/disk-reserve.ts'
import { testEngine, everyVersion, tapeKey, type TestEngine } from '../kmip/operations/engine.ts'
import { temporaryFolder } from './sample.ts'

/** A quota of the database in memory, part of which is kept back: what a file is on a real disk. */
class Quota implements RoomKeeper {
  isTight = false
  held = true
  pages = 0
  readonly #engine: () => TestEngine
  constructor(engine: () => TestEngine) {
    this.#engine = engine
  }
  /** Allows so many pages beyond those there are. */
  async allow(more: number): Promise<void> {
    const [row] = await this.#engine().tamper('PRAGMA page_count')
    this.pages = Number(row![0]) + more
    await this.#set()
  }
  noteFull(): boolean {
    this.isTight = true
    return this.held
  }
  giveBack(): void {
    this.held = false
    this.pages += 40
    // The driver runs one thing after the other: this comes before the next attempt.
    void this.#set()
  }
  async #set(): Promise<void> {
    await this.#engine().tamper(`PRAGMA max_page_count = ${this.pages}`)
  }
}

async function fullDisk() {
  const box: { engine?: TestEngine } = {}
  const quota = new Quota(() => box.engine!)
  const engine = (box.engine = await testEngine({ room: quota }))
  const ids = [await engine.key('1.4', 'A'), await engine.key('1.4', 'B')]
  await quota.allow(4)
  return { engine, quota, ids }
}

const create = async (engine: TestEngine, as: (typeof everyVersion)[number], data: string) =>
  (
    await engine.batch(as, [['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) }]])
  )[0]!

describe('when the disk is full', () => {
  test.each(everyVersion)('new keys are refused and kept ones are handed out (%s)', async (as) => {
    const { engine, quota, ids } = await fullDisk()
    let answer = await create(engine, as, 'C0')
    let made = 0
    for (; answer.ResultStatus === 'Success'; made++)
      answer = await create(engine, as, `C${made + 1}`)
    const reason = as >= '2.0' ? 'ServerLimitExceeded' : 'GeneralFailure'
    expect(answer.ResultReason).toBe(reason)
    expect(answer.ResultMessage).toContain('disk')
    expect(quota).toMatchObject({ held: false, isTight: true })
    const got = await engine.call(as, 'Get', { UniqueIdentifier: ids[0]! })
    expect(got.SymmetricKey).toBeDefined()
    await engine.call(as, 'Activate', { UniqueIdentifier: ids[1]! })
    expect((await create(engine, as, 'D')).ResultReason).toBe(reason)
  })

  test('and the reserve used up, Gets are refused, and each that was answered is on record', async () => {
    const { engine, ids } = await fullDisk()
    for (let at = 0; (await create(engine, '2.1', `C${at}`)).ResultStatus === 'Success'; at++);
    let got = 0
    for (;;) {
      const [item] = await engine.batch('2.1', [['Get', { UniqueIdentifier: ids[0]! }]])
      if (item!.ResultStatus !== 'Success') {
        expect(item!.ResultReason).toBe('GeneralFailure')
        expect(item!.ResultMessage).toBe('the disk of the server is full: nothing is recorded')
        break
      }
      got++
    }
    expect(got).toBeGreaterThan(20)
    const recorded = (await engine.audited()).filter(
      ({ operation, outcome }) => operation === 'Get' && outcome === 'Success',
    )
    expect(recorded).toHaveLength(got)
    const report = await engine.store.auditVerify()
    expect(report.problems).toEqual([])
  })

  test('everything goes on without a restart once there is room', async () => {
    const { engine, quota, ids } = await fullDisk()
    for (let at = 0; (await create(engine, '2.1', `C${at}`)).ResultStatus === 'Success'; at++);
    await quota.allow(1000)
    quota.isTight = false
    expect((await create(engine, '2.1', 'E')).ResultStatus).toBe('Success')
    await engine.call('2.1', 'Get', { UniqueIdentifier: ids[0]! })
  })

  test('what is not audited is answered all the same', async () => {
    const { engine, ids } = await fullDisk()
    for (let at = 0; (await create(engine, '2.1', `C${at}`)).ResultStatus === 'Success'; at++);
    for (;;) {
      const [item] = await engine.batch('2.1', [['Get', { UniqueIdentifier: ids[0]! }]])
      if (item!.ResultStatus !== 'Success') break
    }
    await engine.call('2.1', 'Query', { QueryFunction: ['QueryOperations'] })
    await engine.call('2.1', 'GetAttributes', { UniqueIdentifier: ids[0]! })
  })
})

describe('the file', () => {
  const log = () => {
    const told: { level: string; fields: object; text: string }[] = []
    const tell = (level: string) => (fields: object, text: string) =>
      void told.push({ level, fields, text })
    return { told, info: tell('info'), error: tell('error') }
  }

  test('is made of real bytes, given back when asked, and made again', async () => {
    const folder = temporaryFolder()
    const lines = log()
    const reserve = new DiskReserve(folder, 3_000_000, lines)
    const file = join(folder, reserveFile)
    await reserve.restore()
    const { size, blocks } = statSync(file)
    expect(size).toBe(3_000_000)
    expect(blocks * 512).toBeGreaterThanOrEqual(size)
    expect(reserve.isTight).toBe(false)
    expect(reserve.noteFull()).toBe(true)
    reserve.giveBack()
    expect(existsSync(file)).toBe(false)
    expect(reserve.isTight).toBe(true)
    expect(reserve.noteFull()).toBe(false)
    expect(reserve.noteFull()).toBe(false)
    await reserve.restore()
    expect(reserve.isTight).toBe(false)
    expect(existsSync(file)).toBe(true)
    expect(lines.told.map(({ level }) => level)).toEqual(['error', 'error', 'info'])
  })

  test('that was cut short does not count', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, reserveFile), 'short')
    const reserve = new DiskReserve(folder, 100_000, log())
    await reserve.restore()
    expect(statSync(join(folder, reserveFile)).size).toBe(100_000)
  })

  test('that a disk has no room for is not made, and new objects are refused from the start', async () => {
    const folder = temporaryFolder()
    const reserve = new DiskReserve(folder, Number.MAX_SAFE_INTEGER, log())
    await reserve.restore()
    expect(existsSync(join(folder, reserveFile))).toBe(false)
    expect(reserve.isTight).toBe(true)
  })
})
