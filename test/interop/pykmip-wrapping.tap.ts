// Debian's PyKMIP asks keyreel for wrapped keys, and opens them with a cryptography library of its own, in
// every version it knows. Without python3-pykmip the suite skips and says so; in CI it fails.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startKeyreel } from '../fixtures/keyreel.ts'

/** Debian's own Python: the one that sees packages installed with apt. */
const python = '/usr/bin/python3'
const script = join(import.meta.dirname, 'pykmip-wrapping.py')
const client = join(import.meta.dirname, 'pykmip-client.py')
const run = promisify(execFile)

interface Step {
  readonly step: string
  readonly ok: boolean
  readonly detail: string | null
}

async function linesOf(...words: string[]): Promise<string[]> {
  const { stdout } = await run(python, ['-B', ...words])
  return stdout.trim().split('\n')
}

/** The versions that the installed PyKMIP knows; undefined when it is not there. */
async function pykmipVersions(): Promise<string[] | undefined> {
  try {
    return await linesOf(client, '--versions')
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
  const address = [keyreel.host, String(keyreel.port), certificate, key, ca]

  for (const version of versions) {
    await t.test(`PyKMIP gets wrapped keys from keyreel in ${version}`, async (t) => {
      const lines = await linesOf(script, version, ...address)
      const steps = lines.map((line) => JSON.parse(line) as Step)
      for (const { step, ok, detail } of steps) t.ok(ok, `it ${step}`, { detail })
      t.ok(steps.length >= 7, 'every step has run')
    })
  }
}
