// Every scenario of the simulator against one started keyreel, and the first three in every
// personality.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { dialectNamed, dialects, type Dialect } from '../../simulator/dialects.ts'
import { readKit } from '../../simulator/kit.ts'
import { play } from '../../simulator/play.ts'
import { scenarios } from '../../simulator/scenarios.ts'
import type { StageOptions } from '../../simulator/stage.ts'
import { startKeyreel } from '../fixtures/keyreel.ts'

const keyreel = await startKeyreel()
const scratch = await mkdtemp(join(tmpdir(), 'keyreel-scenarios-'))
t.teardown(async () => {
  await keyreel.stop()
  await rm(scratch, { recursive: true, force: true })
})

const kits = [
  await readKit((await keyreel.enrol('alpha')).directory),
  await readKit((await keyreel.enrol('beta')).directory),
]
const withPassword = [await readKit((await keyreel.enrol('gamma')).directory)]
const credential = { username: 'robot', password: 'correct horse battery' }
const passwordFile = join(scratch, 'password')
await writeFile(passwordFile, `${credential.password}\n`)
const added = await keyreel.cli(
  ...['library', 'credential', 'add', 'gamma'],
  ...['--username', credential.username, '--password-file', passwordFile],
)
t.equal(added.status, 0, 'a credential is added', { stderr: added.stderr })

const servers = [{ host: keyreel.host, port: keyreel.port }]
const stage = (dialect: Dialect): StageOptions =>
  dialect.credential
    ? { servers, kits: withPassword, credential, dialect, scratch }
    : { servers, kits, dialect, scratch }

/** Plays one scenario; the reason of a failure is shown. */
async function playsWell(t: Test, id: string, dialect: Dialect): Promise<void> {
  const scenario = scenarios.find((row) => row.id === id)!
  const { error } = await play(scenario, stage(dialect))
  t.ok(error === undefined, `${id} ${dialect.name}: ${scenario.title}`, {
    reason: error?.stack ?? '',
  })
}

await t.test('every scenario goes as told', async (t) => {
  for (const { id } of scenarios) await playsWell(t, id, dialectNamed('P-strict14'))
})

for (const dialect of Object.values(dialects)) {
  await t.test(`${dialect.name} writes, appends and overwrites`, async (t) => {
    for (const id of ['T-1', 'T-2', 'T-3']) await playsWell(t, id, dialect)
  })
}

await t.test('a wrong password brings no key', async (t) => {
  const wrong = {
    ...stage(dialectNamed('P-userpass')),
    credential: { ...credential, password: 'x' },
  }
  const { error } = await play(scenarios[0]!, wrong)
  t.match(error, { code: '7/74/6F' })
})

await t.test('the audit record of all this verifies', async (t) => {
  const { status, stderr } = await keyreel.cli('audit', 'verify')
  t.equal(status, 0, 'audit verify', { stderr })
})
