// The program keyreel-simulator as an administrator runs it: exit statuses and forms of output.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startKeyreel } from '../fixtures/keyreel.ts'

const program = join(import.meta.dirname, '../../simulator/keyreel-simulator.js')
const keyreel = await startKeyreel()
t.teardown(() => keyreel.stop())
const { directory } = await keyreel.enrol('alpha')
const to = ['--server', `${keyreel.host}:${keyreel.port}`, '--kit', directory]

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function simulator(...args: string[]): Promise<Run> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [program, ...args])) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
      return error as Error & Run
    }
    throw error
  }
}

await t.test('run plays the scenarios that are named', async (t) => {
  const { code, stdout, stderr } = await simulator('run', 't-1', 'T-7', ...to)
  t.equal(code, 0, 'exit status', { stderr })
  t.match(stdout, /^ok {5}T-1 .*\nok {5}T-7 .*\n2 scenarios, all as told\n$/)
})

await t.test('run --tap prints TAP, one point per personality', async (t) => {
  const personalities = ['--personality', 'P-strict10', '--personality', 'p-strict21']
  const { code, stdout } = await simulator('run', 'T-1', ...to, ...personalities, '--tap')
  t.equal(code, 0)
  t.match(
    stdout,
    /^TAP version 14\n1\.\.2\nok 1 - T-1 P-strict10: .*\nok 2 - T-1 P-strict21: .*\n$/,
  )
})

await t.test('run --json prints one document', async (t) => {
  const { code, stdout } = await simulator('run', 'T-2', ...to, '--json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { passed: 1, failed: 0, scenarios: [{ id: 'T-2', passed: true }] })
})

await t.test('run ends with 1 when a scenario does not go as told', async (t) => {
  const nowhere = ['--server', '127.0.0.1:1', '--kit', directory]
  const { code, stdout } = await simulator('run', 'T-1', ...nowhere)
  t.equal(code, 1)
  t.match(stdout, /^FAILED T-1 .*\n.*7\/74\/6F.*\n1 scenario, 1 not as told\n$/s)
})

await t.test('a personality without its credential is a usage error', async (t) => {
  const { code, stdout } = await simulator('run', 'T-1', ...to, '--personality', 'P-userpass')
  t.equal(code, 2)
  t.equal(stdout, '')
})

await t.test('diagnose ends with 0 or 1, and prints remedies', async (t) => {
  const good = await simulator('diagnose', ...to, '--json')
  t.equal(good.code, 0)
  t.equal((JSON.parse(good.stdout) as { findings: unknown[] }).findings.length, 4)
  const bad = await simulator('diagnose', '--server', '127.0.0.1:1', '--kit', directory)
  t.equal(bad.code, 1)
  t.match(bad.stdout, /failed {2}127\.0\.0\.1:1 {2}ping .*\n +hint: /)
})

await t.test('fleet reports on every key', async (t) => {
  const { code, stdout } = await simulator('fleet', ...to, '--libraries', '2', '--cartridges', '3')
  t.equal(code, 0)
  t.match(stdout, /6 keys made, 12 requests/)
  t.match(stdout, /every cartridge has a key of its own/)
})
