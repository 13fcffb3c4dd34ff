// The restore drill: a library writes tapes, the machine is lost with its disk and its master key, and out of
// one file and two sheets of paper comes a server at which the library, unchanged, reads them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dialectNamed } from '../../simulator/dialects.ts'
import { readKit } from '../../simulator/kit.ts'
import { readBack, write } from '../../simulator/recording.ts'
import { recording } from '../../simulator/scenarios/scenario.ts'
import { Stage } from '../../simulator/stage.ts'
import { runKeyreel, startKeyreel } from '../fixtures/keyreel.ts'

const scratch = await mkdtemp(join(tmpdir(), 'keyreel-restore-'))
t.teardown(() => rm(scratch, { recursive: true, force: true }))
const place = (name: string): string => join(scratch, name)
const shares = (...numbers: number[]): string[] =>
  numbers.flatMap((number) => ['--share', join(place('shares'), `share-${number}.txt`)])

/** A command that must succeed. */
async function run(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runKeyreel(args)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

await t.test('tapes are read again at a server made out of a backup and two shares', async (t) => {
  const names = ['--host', 'localhost', '--host', '127.0.0.1']
  await run('init', '--data', place('lost'), ...names)
  const setUp = ['recovery', 'setup', '--threshold', '2', '--shares', '3']
  await run(...setUp, '--out', place('shares'), '--data', place('lost'))

  const first = await startKeyreel({ data: place('lost') })
  const kit = await readKit((await first.enrol('alpha')).directory)
  const stage = new Stage({
    servers: [{ host: first.host, port: first.port }],
    kits: [kit],
    dialect: dialectNamed('P-strict14'),
    scratch: place('stage'),
  })
  t.teardown(() => stage.close())
  const before = stage.library()
  const cartridges = [await stage.cartridge('KR0001L8'), await stage.cartridge('KR0002L8')]
  for (const [at, cartridge] of cartridges.entries()) {
    await before.insert(cartridge)
    await write(await before.mount(cartridge, 0), recording(at + 1))
    await before.dismount(0)
  }
  const made = await first.cli('backup', 'create', '--out', place('backup'), '--json')
  t.equal(made.status, 0, 'beside the running server', made)
  const { identity } = JSON.parse(made.stdout) as { identity: string }
  t.match((await first.cli('backup', 'verify', place('backup'))).stdout, /every key of it can be/)
  await first.kill()
  await rm(place('lost'), { recursive: true })

  await run(
    ...['backup', 'restore', place('backup'), ...shares(1, 3), '--identity', identity],
    ...['--data', place('back')],
  )
  const second = await startKeyreel({ data: place('back') })
  t.teardown(() => second.stop())
  // The same library, with the certificates it has had; only the address is another one.
  const after = stage.library({ servers: [{ host: second.host, port: second.port }] })
  for (const [at, cartridge] of cartridges.entries()) {
    await after.insert(cartridge)
    await readBack(await after.mount(cartridge, 1), [recording(at + 1)])
    await after.dismount(1)
  }
  const third = await stage.cartridge('KR0003L8')
  await after.insert(third)
  await write(await after.mount(third, 0), recording(3))
  await after.dismount(0)
  t.match((await second.cli('audit', 'verify')).stdout, /^all is well: 3 objects/)
  t.match((await second.cli('cartridge', 'show', 'KR0001L8')).stdout, /alpha/)
})
