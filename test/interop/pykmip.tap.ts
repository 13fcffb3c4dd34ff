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
const run = promisify(execFile)

interface Step {
  readonly step: string
  readonly ok: boolean
  readonly detail: string | null
}

/** The versions that the installed PyKMIP knows; undefined when it is not there. */
async function pykmipVersions(): Promise<string[] | undefined> {
  try {
    const { stdout } = await run(python, [script, '--versions'])
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
      const { stdout } = await run(python, [script, ...address, certificate, key, ca])
      const steps = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Step)
      for (const { step, ok, detail } of steps) t.ok(ok, `it ${step}`, { detail })
      t.ok(steps.length >= 17, 'every step has run')
    })
  }
}
