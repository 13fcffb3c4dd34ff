// A server makes and verifies a scheduled backup beside its service, in a thread that asks it for every unwrap; the
// backup restores like any other, and a server that is stopped in the middle leaves nothing behind.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { WaitingServer } from '../fixtures/waiting-server.ts'

t.setTimeout(240_000)
const scratch = mkdtempSync(join(tmpdir(), 'keyreel-schedule-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
const place = (name: string): string => join(scratch, name)
mkdirSync(place('tmp'))
const env = { ...process.env, NO_COLOR: '1', TMPDIR: place('tmp') }
const data = place('data')

async function cli(...words: string[]) {
  const { status, stdout, stderr } = await runKeyreel([...words, '--data', data], { env })
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

interface Listed {
  backups: { file: string; schedule: string; verified: string | null; bytes: number }[]
  schedules: {
    name: string
    last: string
    next: string
    failed: string | null
    running: boolean
  }[]
}
const listed = async () => JSON.parse(await cli('backup', 'list', '--json')) as Listed

await t.test('a schedule is kept by the running server', async (t) => {
  await cli('init', '--host', 'localhost')
  await cli('library', 'add', 'alpha', '--out', place('kit'))
  await cli('recovery', 'setup', '--threshold', '2', '--shares', '3', '--out', place('shares'))
  mkdirSync(place('safe'))
  const server = new WaitingServer(env, data)
  await server.says(/^ready kmip=/m)
  await cli('backup', 'schedule', 'set', 'nightly', '--to', place('safe'), '--at', '02:00')
  await server.says(/a backup was made and verified/)
  const { backups, schedules } = await listed()
  t.equal(backups.length, 1)
  t.match(backups[0], { schedule: 'nightly', verified: /Z$/ })
  t.match(schedules, [{ name: 'nightly', last: /Z$/, next: /T02:00:00Z$/, failed: null }])
  t.same(
    readdirSync(place('safe')).map((name) => join(place('safe'), name)),
    [backups[0]!.file],
  )
  t.same(readdirSync(place('tmp')), [], 'nothing is left of the copy that was verified')
  t.match(await cli('audit', 'verify'), /^all is well/)
  t.equal(await server.stop(), 0)

  const shares = [1, 2].flatMap((n) => ['--share', join(place('shares'), `share-${n}.txt`)])
  const verify = await runKeyreel(['backup', 'verify', backups[0]!.file, ...shares], { env })
  t.match(verify.stdout, /every key of it can be restored/)
})

await t.test('what cannot be written alarms in the log, in doctor and in the list', async (t) => {
  mkdirSync(place('away'))
  await cli('backup', 'schedule', 'set', 'away', '--to', place('away'))
  rmSync(place('away'), { recursive: true })
  const server = new WaitingServer(env, data)
  await server.says(/the scheduled backup failed: there is no directory/)
  t.match(server.err, /alarm/)
  const doctor = await runKeyreel(['doctor', 'backup', '--data', data], { env })
  t.equal(doctor.status, 1)
  t.match(doctor.stdout, /failed +backup +the backup of schedule away failed on/)
  t.match(await cli('backup', 'schedule', 'list'), /away .*failed: there is no directory/)
  t.equal(await server.stop(), 0)
  t.notOk(existsSync(place('away')))
  await cli('backup', 'schedule', 'remove', 'away', '--yes')
})

await t.test('a server that is told to stop gives up what it is at', async (t) => {
  await cli('backup', 'schedule', 'set', 'other', '--to', place('safe'))
  const before = readdirSync(place('safe'))
  const server = new WaitingServer(env, data)
  await server.says(/^ready kmip=/m)
  await server.says(/a backup is being made/)
  t.equal(await server.stop(), 0)
  t.notMatch(server.err, /"alarm"|alarm=/)
  t.same(readdirSync(place('safe')), before)
  t.same(readdirSync(place('tmp')), [])
  const { schedules } = await listed()
  t.match(
    schedules.find(({ name }) => name === 'other'),
    { failed: null, running: true },
  )
})
