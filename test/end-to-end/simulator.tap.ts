// The program keyreel-simulator as an administrator runs it: exit statuses and forms of output.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
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

await t.test('a dropped connection fails its scenario, and the next is played', async (t) => {
  let connections = 0
  const proxy = createServer((client) => {
    client.on('error', () => client.destroy())
    connections += 1
    if (connections === 1) {
      client.destroy()
      return
    }
    const server = connect(keyreel.port, keyreel.host)
    server.on('error', () => client.destroy())
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    client.pipe(server).pipe(client)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const { port } = proxy.address() as AddressInfo
  const through = ['--server', `127.0.0.1:${port}`, '--kit', directory]
  const { code, stdout } = await simulator('run', 'T-4', 'T-1', ...through, '--tap')
  t.equal(code, 1)
  t.match(
    stdout,
    /^TAP version 14\n1\.\.2\nnot ok 1 - T-4 .*\n {2}---\n {2}message: "expected sense 7\/74\/6E, and nothing failed.*\n {2}\.\.\.\nok 2 - T-1 .*\n$/,
  )
})

await t.test(
  'what a scenario leaves unhandled, or waits for in vain, fails it alone',
  async (t) => {
    const simulated = join(import.meta.dirname, '../../simulator')
    const scratch = t.testdir()
    const script = `
    import { play } from '${simulated}/play.ts'
    import { dialectNamed } from '${simulated}/dialects.ts'
    const dialect = dialectNamed('P-strict12')
    const kits = [{ ca: '', certificate: '', key: '' }]
    const options = { servers: [{ host: '127.0.0.1', port: 1 }], kits, dialect, scratch: '${scratch}' }
    const stories = [
      () => { void Promise.reject(new Error('left behind')); return new Promise(() => {}) },
      () => new Promise(() => {}),
      async () => {},
    ]
    for (const run of stories) {
      const { error } = await play({ id: 'T-0', title: 'told', run }, options)
      console.log(error?.message ?? 'as told')
    }`
    const flags = ['--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(process.execPath, flags)
    t.strictSame(stdout.trim().split('\n'), [
      'left behind',
      'the scenario waits for something that never comes',
      'as told',
    ])
    t.strictSame(await readdir(scratch), [])
  },
)

await t.test('a signal ends it and leaves nothing in the temporary directory', async (t) => {
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const temporary = t.testdir()
    const child = spawn(process.execPath, [program, 'run', 'all', ...to], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    t.equal((await readdir(temporary)).length, 1, 'it has a directory while it runs')
    child.kill(signal)
    await closed
    t.equal(child.exitCode, status)
    t.strictSame(await readdir(temporary), [])
  }
})

await t.test('a scenario that gets no key names the server and the cause', async (t) => {
  const nowhere = ['--server', '127.0.0.1:1', '--kit', directory]
  const cause = /key server 127\.0\.0\.1:1: cannot reach 127\.0\.0\.1:1: nothing listens there/
  for (const form of [[], ['--tap'], ['--json']]) {
    const { code, stdout } = await simulator('run', 'T-1', ...nowhere, ...form)
    t.equal(code, 1)
    t.match(stdout, cause)
    t.match(stdout, 'hint: check address and port')
    t.match(stdout, 'keyreel-simulator diagnose')
  }
  const stranger = await keyreel.enrol('stranger')
  await keyreel.cli('library', 'revoke', 'stranger', '--yes')
  const revoked = ['--server', `${keyreel.host}:${keyreel.port}`, '--kit', stranger.directory]
  const { stdout } = await simulator('run', 'T-1', ...revoked)
  t.match(stdout, `key server ${keyreel.host}:${keyreel.port}: `)
  t.match(stdout, /hint: the server's log says why: usually a certificate that is not enrolled/)
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
