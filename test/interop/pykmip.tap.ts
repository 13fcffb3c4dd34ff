// A real client that nobody here wrote, Debian's PyKMIP, drives a started keyreel over TLS 1.2 in
// every version it knows. Without python3-pykmip the suite skips and says so; in CI it fails.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startKeyreel } from '../fixtures/keyreel.ts'

/** Debian's own Python: the one that sees packages installed with apt. */
const python = '/usr/bin/python3'
const script = join(import.meta.dirname, 'pykmip-client.py')
const tour = join(import.meta.dirname, 'pykmip-operations.py')
const run = promisify(execFile)

interface Step {
  readonly step: string
  readonly ok: boolean
  readonly detail: string | null
  /** The operation of a step that was not run, because the server does not list it. */
  readonly waits?: string
}

async function stepsOf(script: string, ...args: string[]): Promise<Step[]> {
  const { stdout } = await run(python, ['-B', script, ...args])
  const lines = stdout.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Step)
}

/** The versions that the installed PyKMIP knows; undefined when it is not there. */
async function pykmipVersions(): Promise<string[] | undefined> {
  try {
    const { stdout } = await run(python, ['-B', script, '--versions'])
    return stdout.trim().split('\n')
  } catch (error) {
    t.comment(`${python} does not run PyKMIP: ${String(error)}`)
    return undefined
  }
}

const versions = await pykmipVersions()

if (versions === undefined) {
  const missing = `python3-pykmip is missing: apt-get install python3-pykmip`
  if (process.env['CI']) t.fail(missing)
  else t.pass(missing, { skip: missing })
} else {
  const keyreel = await startKeyreel()
  t.teardown(() => keyreel.stop())
  const { certificate, key, ca } = await keyreel.enrol('pykmip', 'general')

  for (const version of versions) {
    await t.test(`PyKMIP speaks ${version} with keyreel`, async (t) => {
      const address = [version, keyreel.host, String(keyreel.port)]
      const steps = await stepsOf(script, ...address, certificate, key, ca)
      for (const { step, ok, detail } of steps) t.ok(ok, `it ${step}`, { detail })
      t.ok(steps.length >= 17, 'every step has run')
    })
    await t.test(`PyKMIP uses every operation it has in ${version}`, async (t) => {
      const address = [version, keyreel.host, String(keyreel.port)]
      const steps = await stepsOf(tour, ...address, certificate, key, ca)
      for (const { step, ok, detail, waits } of steps) {
        if (waits === undefined) t.ok(ok, `it ${step}`, { detail })
        else t.comment(`not run, the server has no ${waits}: it ${step}`)
      }
      t.ok(steps.length >= 10, 'every step has run')
    })
  }
}
