// The example of the package's README runs and prints what the README says.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const readme = readFileSync(new URL('src/kmip/ttlv-codec/README.md', root), 'utf8')

function block(language: string): string {
  return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(readme)?.[1] ?? ''
}

it('the example of the README prints what the README says', async () => {
  const run = ['--input-type=module-typescript', '--eval', block('ts')]
  const { stdout } = await promisify(execFile)(process.execPath, run, { cwd: root })
  expect(stdout).toBe(block('text'))
})
