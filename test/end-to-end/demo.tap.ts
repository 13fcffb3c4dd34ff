// The demo as a newcomer runs it, and as somebody interrupts it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const demo = join(import.meta.dirname, '../../simulator/demo/main.ts')
const temporary = await mkdtemp(join(tmpdir(), 'keyreel-demo-test-'))
t.teardown(() => rm(temporary, { recursive: true, force: true }))

/** Starts the demo with a temporary directory of its own. */
function startDemo() {
  const child = spawn(process.execPath, [demo], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  t.teardown(() => void child.kill('SIGKILL'))
  return { child, output: () => output }
}

await t.test('the demo proves every step and leaves nothing behind', async (t) => {
  const { child, output } = startDemo()
  await once(child, 'close')
  t.equal(child.exitCode, 0, 'exit status', { output: output() })
  for (const told of [
    /64 MiB are on tape/,
    /got the same key/,
    /read[s]? 64 MiB and 8 MiB back, byte for byte/,
    /the old key .* is kept/,
    /sense 7\/74\/03/,
    /keys acknowledged before are there/,
    /\$ keyreel cartridge show KR0001L8\n(?:.*\n)*.*current key/,
    /proofs in 9 steps/,
  ]) {
    t.match(output(), told)
  }
  t.notMatch(output(), /\u001b/u, 'no colours without a terminal')
  t.strictSame(await readdir(temporary), [])
})

await t.test('a demo whose reader goes away leaves nothing behind', async (t) => {
  const { child } = startDemo()
  let complaints = ''
  child.stderr.on('data', (text: string) => (complaints += text))
  const closed = once(child, 'exit')
  for await (const text of child.stdout) if (String(text).includes('3. The robot')) break
  await closed
  t.equal(child.exitCode, 0)
  t.equal(complaints, '', 'and complains of nothing')
  t.strictSame(await readdir(temporary), [])
})

await t.test('a demo takes no words but --help', async (t) => {
  for (const [name, script] of [
    ['main.ts', 'demo'],
    ['exchange.ts', 'demo:exchange'],
  ] as const) {
    const file = join(import.meta.dirname, '../../simulator/demo', name)
    const help = spawnSync(process.execPath, [file, '--help'], { encoding: 'utf8' })
    t.equal(help.status, 0)
    t.match(help.stdout, `Usage: npm run ${script}\n`)
    const wrong = spawnSync(process.execPath, [file, '--bogus'], { encoding: 'utf8' })
    t.equal(wrong.status, 2)
    t.equal(wrong.stdout, '')
    t.match(wrong.stderr, /^error: the demo takes no "--bogus"\nhint: npm run .* -- --help\n$/)
  }
})

await t.test('an interrupted demo ends with 130 and leaves nothing behind', async (t) => {
  const { child } = startDemo()
  const closed = once(child, 'close')
  const begun = Promise.withResolvers<void>()
  child.stdout.on('data', (text) => {
    if (String(text).includes('3. The robot')) begun.resolve()
  })
  await begun.promise
  child.kill('SIGINT')
  await closed
  t.equal(child.exitCode, 130)
  t.strictSame(await readdir(temporary), [])
})
