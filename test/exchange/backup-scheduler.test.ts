// The server's own backups: made when due, verified, tried again, and deleted only when others are there.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bodyOf } from '../../src/access/documents.ts'
import { backupCheck } from '../../src/admin/backup-check.ts'
import { keepRun, schedules, setSchedule } from '../../src/admin/backup-schedules.ts'
import { backups, backupState, backupThresholds } from '../../src/admin/backup-state.ts'
import { BackupScheduler } from '../../src/backup-scheduler.ts'
import { settle } from '../../src/config.ts'
import { backUp } from '../../src/exchange/backup-job.ts'
import type { RunningBackup } from '../../src/exchange/backup-thread.ts'
import { announceNode } from '../../src/keystore/nodes.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { recoverable } from './recoverable.ts'
import { day, newSite, now, scratch, type Site } from './site.ts'

interface Line {
  level: string
  alarm: boolean
  text: string
}

/** A scheduler over a site, which makes its backups in this thread. */
function schedulerOf({ store, time }: Site, data: string, begin?: () => RunningBackup) {
  const lines: Line[] = []
  const say = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, alarm: 'alarm' in fields, text })
  const log = { info: say('info'), warn: say('warn'), error: say('error') }
  const scheduler = new BackupScheduler({
    ...{ store, directory: data, log },
    backUp: (out, written) =>
      begin?.() ?? {
        done: backUp({
          ...{ store, masterKey: store.lendMasterKey(), out, written },
          now: () => time.seconds,
        }),
        stop: () => Promise.resolve(),
      },
  })
  return { scheduler, lines, alarms: () => lines.filter(({ alarm }) => alarm) }
}

const daily = (directory: string) => ({ directory, every: 86_400, keep: 2, elsewhere: false })

async function scheduled(wish: Partial<ReturnType<typeof daily>> & { keepDays?: number } = {}) {
  const driver = await openSqlite({ file: ':memory:' })
  const { site } = await recoverable({ driver })
  await site.key()
  const folder = scratch()
  const directory = join(folder, 'safe')
  mkdirSync(directory)
  await setSchedule(site.store, 'nightly', { ...daily(directory), ...wish })
  return { site, driver, folder, directory, ...schedulerOf(site, folder) }
}

const runOf = async (site: Site) => (await site.store.read(schedules))[0]!.run

test('what is due is made, verified and noted, and not made again before its time', async () => {
  const { site, directory, scheduler, lines, alarms } = await scheduled()
  await scheduler.turn()
  expect(readdirSync(directory)).toEqual(['keyreel-nightly-2027-01-15T080000Z.backup'])
  expect(await backupState(site.store)).toMatchObject({
    verified: { schedule: 'nightly', objects: 1 },
    missing: { count: 0 },
  })
  const [made] = await site.store.read(backups)
  expect(made!.body.bytes).toBe(readFileSync(made!.body.file).length)
  expect(await runOf(site)).toMatchObject({ finished: Number(now), failures: 0 })
  expect(lines.map(({ text }) => text)).toContain('a backup was made and verified')
  site.time.seconds += day - 1n
  await scheduler.turn()
  expect(readdirSync(directory)).toHaveLength(1)
  site.time.seconds += 1n
  await scheduler.turn()
  expect(readdirSync(directory)).toHaveLength(2)
  expect(alarms()).toEqual([])
  const records = await site.store.readAudit({ chain: 'test', after: 0, limit: 1000 })
  const isOwn = ({ actor, operation }: (typeof records)[number]) =>
    actor.kind === 'server' && operation.startsWith('backup')
  const own = records.filter(isOwn)
  expect(own.map(({ operation }) => operation)).toEqual([
    'backup create',
    'backup verify',
    'backup create',
    'backup verify',
  ])
})

test('old ones are deleted once as many verified ones as are kept are newer', async () => {
  const { site, directory, scheduler } = await scheduled()
  for (let at = 0; at < 4; at++) {
    await scheduler.turn()
    site.time.seconds += day
  }
  expect(readdirSync(directory)).toEqual([
    'keyreel-nightly-2027-01-17T080000Z.backup',
    'keyreel-nightly-2027-01-18T080000Z.backup',
  ])
  const all = await site.store.read(backups)
  expect(all.map(({ body }) => body.removed !== undefined)).toEqual([false, false, true, true])
})

test('files that are not what was written there are left alone', async () => {
  const { site, directory, scheduler, lines } = await scheduled({ keep: 1 })
  await scheduler.turn()
  const [first] = readdirSync(directory)
  writeFileSync(join(directory, first!), 'something else of this name')
  writeFileSync(join(directory, 'notes.txt'), 'of the administrator')
  for (let at = 0; at < 2; at++) {
    site.time.seconds += day
    await scheduler.turn()
  }
  await scheduler.prune()
  expect(readdirSync(directory)).toEqual([
    first,
    'keyreel-nightly-2027-01-17T080000Z.backup',
    'notes.txt',
  ])
  expect(lines.filter(({ level }) => level === 'warn').map(({ text }) => text)).toContainEqual(
    'not the backup that was written there: it is left alone',
  )
})

test('a target that is full is named, without the words of the system', async () => {
  const { site, folder, directory } = await scheduled()
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
  })
  const begin = () => ({ done: Promise.reject(full), stop: () => Promise.resolve() })
  const { scheduler, alarms } = schedulerOf(site, folder, begin)
  await scheduler.turn()
  const file = join(directory, 'keyreel-nightly-2027-01-15T080000Z.backup')
  expect(alarms().map(({ text }) => text)).toEqual([
    `the scheduled backup failed: ${file} cannot be written: the disk is full`,
  ])
  const thresholds = backupThresholds(settle({ flags: {}, environment: {} }))
  expect(
    await backupCheck(site.store, { directory: folder, thresholds, now: site.time.seconds }),
  ).toMatchObject({
    status: 'failed',
    remedy: `put that right in ${directory}; the server tries again by itself`,
  })
})

test('a backup that cannot be made is an alarm, on record and in doctor, and is tried again', async () => {
  const { site, folder, directory, scheduler, alarms } = await scheduled()
  renameSync(directory, `${directory}-away`)
  await scheduler.turn()
  expect(alarms().map(({ text }) => text)).toEqual([
    `the scheduled backup failed: there is no directory ${directory}`,
  ])
  const records = await site.store.readAudit({ chain: 'test', limit: 1 })
  expect(records).toMatchObject([{ operation: 'backup schedule run', outcome: 'GeneralFailure' }])
  const thresholds = backupThresholds(settle({ flags: {}, environment: {} }))
  const check = () =>
    backupCheck(site.store, { directory: folder, thresholds, now: site.time.seconds })
  expect(await check()).toMatchObject({
    status: 'failed',
    found: `the backup of schedule nightly failed on 2027-01-15: there is no directory ${directory}`,
  })
  await scheduler.turn()
  expect(alarms()).toHaveLength(1)
  site.time.seconds += 600n
  await scheduler.turn()
  expect(alarms()).toHaveLength(2)
  expect(await runOf(site)).toMatchObject({ failures: 2 })
  renameSync(`${directory}-away`, directory)
  site.time.seconds += 1200n
  await scheduler.turn()
  expect(await runOf(site)).toMatchObject({ failures: 0, finished: Number(site.time.seconds) })
  expect(readdirSync(directory)).toHaveLength(1)
  // The scratch directory is on one disk with the data directory.
  expect(await check()).toMatchObject({ status: 'warning' })
})

test('nothing is written below a mount point while its disk is away', async () => {
  const { site, directory, scheduler, alarms } = await scheduled({ elsewhere: true })
  await scheduler.turn()
  expect(alarms()).toMatchObject([
    { text: expect.stringMatching(/is on the disk of the keystore, where it was not before/) },
  ])
  expect(readdirSync(directory)).toEqual([])
  expect(await site.store.read(backups)).toEqual([])
})

test('a backup with damage in it is kept, not relied on, and an alarm', async () => {
  const { site, driver, directory, scheduler, alarms } = await scheduled({ keep: 1 })
  await scheduler.turn()
  const good = readdirSync(directory)
  await driver.transaction((sql) => sql.query(`UPDATE objects SET sealed = zeroblob(90)`))
  site.time.seconds += day
  await scheduler.turn()
  expect(alarms()).toMatchObject([{ text: expect.stringMatching(/is not whole: 1 problem/) }])
  const [newest, before] = await site.store.read(backups)
  expect(newest!.body.verified).toBeUndefined()
  expect(before!.body.verified).toBeDefined()
  // The last good one stays, whatever comes after it.
  for (let at = 0; at < 3; at++) {
    site.time.seconds += day
    await scheduler.turn()
  }
  expect(readdirSync(directory)).toContain(good[0])
})

test('a turn that was cut off leaves nothing, and is made up for', async () => {
  const { site, directory, scheduler } = await scheduled()
  const file = join(directory, 'keyreel-nightly-2027-01-14T000000Z.backup')
  const left = join(directory, '.keyreel-nightly-2027-01-14T000000Z.backup.0123abcd.tmp')
  writeFileSync(left, 'half a backup')
  const started = Number(now - day)
  await site.store.act((work) => keepRun(work, 'nightly', { started, file, failures: 0 }))
  await scheduler.turn()
  expect(readdirSync(directory)).toEqual(['keyreel-nightly-2027-01-15T080000Z.backup'])
})

test('one that is under way is given up when the server stops, without an alarm', async () => {
  const { site, folder } = await scheduled()
  const begun = Promise.withResolvers<undefined>()
  const { promise, reject } = Promise.withResolvers<never>()
  const { scheduler, alarms } = schedulerOf(site, folder, () => {
    begun.resolve(undefined)
    return {
      done: promise,
      stop() {
        reject(new Error('given up'))
        return Promise.resolve()
      },
    }
  })
  const turn = scheduler.turn()
  await begun.promise
  await scheduler.stop()
  await turn
  expect(alarms()).toEqual([])
  const run = await runOf(site)
  expect(run).toMatchObject({ started: Number(now), failures: 0 })
  expect(run!.finished).toBeUndefined()
})

test('what another node is at is left to it, and taken up once that node is gone or was started anew', async () => {
  const { site, directory, scheduler } = await scheduled()
  const started = Number(now - day)
  const file = join(directory, 'keyreel-nightly-of-b.backup')
  const run = { started, node: 'b', file, failures: 0 }
  const report = (wish: object) =>
    site.store.act((work) =>
      announceNode(work, {
        ...{ node: 'b', home: 'elsewhere:/data', version: '1', kmip: 'b:5696', stopped: false },
        ...{ started: 0, heard: Date.now(), clockAhead: 0, contacts: [], ...wish },
      }),
    )
  await site.store.act((work) => keepRun(work, 'nightly', run))
  await report({})
  await scheduler.turn()
  expect(readdirSync(directory)).toEqual([])
  await report({ started: started * 1000 + 1 })
  await scheduler.turn()
  expect(readdirSync(directory)).toHaveLength(1)

  site.time.seconds += 2n * day
  await site.store.act((work) =>
    keepRun(work, 'nightly', { ...run, started: Number(site.time.seconds - day) }),
  )
  await report({ heard: Date.now() - 60_000 })
  await scheduler.turn()
  expect(readdirSync(directory)).toHaveLength(2)
})

test('doctor says when a backup was due and no server was there to make it', async () => {
  const { site, folder, scheduler } = await scheduled()
  const thresholds = backupThresholds(settle({ flags: {}, environment: {} }))
  const check = () =>
    backupCheck(site.store, { directory: folder, thresholds, now: site.time.seconds })
  await scheduler.turn()
  site.time.seconds += 2n * day
  expect((await check()).status).toBe('warning')
  site.time.seconds += 1n
  expect(await check()).toMatchObject({
    status: 'failed',
    found: 'schedule nightly was due on 2027-01-16, and no backup was made',
  })
  await scheduler.turn()
  expect((await check()).status).toBe('warning')
})

test('without a recovery key it says what to do', async () => {
  const site = await newSite()
  const folder = scratch()
  await setSchedule(site.store, 'nightly', daily(folder))
  const { scheduler, alarms } = schedulerOf(site, folder)
  await scheduler.turn()
  expect(alarms()).toMatchObject([{ text: expect.stringMatching(/has no recovery key/) }])
  expect(readdirSync(folder)).toEqual([])
})

test('a file that somebody took away is not deleted twice, and does not count', async () => {
  const { site, directory, scheduler } = await scheduled({ keep: 1 })
  await scheduler.turn()
  site.time.seconds += day
  await scheduler.turn()
  const [newest] = await site.store.read(backups)
  rmSync(newest!.body.file)
  const [only] = readdirSync(directory)
  expect(only).toBeUndefined()
  site.time.seconds += day
  await scheduler.turn()
  expect(readdirSync(directory)).toHaveLength(1)
  const gone = await site.store.read((work) => bodyOf(work, 'backup', newest!.id))
  expect(gone!.removed).toBe(Number(site.time.seconds))
})
