// The seven steps of an exchange between two servers started from scratch, as `npm run demo:exchange`
// plays them (scenario T-10).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const demo = join(import.meta.dirname, '../../simulator/demo/exchange.ts')
const temporary = await mkdtemp(join(tmpdir(), 'keyreel-exchange-test-'))
t.teardown(() => rm(temporary, { recursive: true, force: true }))

await t.test('a tape written at one site is read at another, and only with its key', async (t) => {
  const child = spawn(process.execPath, [demo], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  await once(child, 'close')
  t.equal(child.exitCode, 0, 'exit status', { output })
  for (const told of [
    /B reads none of the tapes before any key has come/,
    /B reads none of the tapes with a bundle made for somebody else/,
    /4 keys of group default exported to B/,
    /new +4\n/,
    /imported again, nothing changes/,
    /exports +(?:.*, )?B \d{4}-\d\d-\d\d/,
    /proofs in 8 steps/,
  ]) {
    t.match(output, told)
  }
  for (const barcode of ['KR1001L4', 'KR1002L4', 'KR1003L8', 'KR1004L8'])
    t.match(output, `${barcode} reads at B, byte for byte`)
  t.strictSame(await readdir(temporary), [], 'nothing is left behind')
})
