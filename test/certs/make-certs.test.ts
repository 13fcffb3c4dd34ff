import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  developmentCertificates,
  makeCertificates,
  writeCertificates,
} from '../../certs/make-certs.ts'
import { certificateFault } from '../../src/access/identity.ts'

const now = 1_800_000_000n
const pki = await makeCertificates(now)

test('the good clients have no fault and each bad one has its own', () => {
  const fault = (name: keyof typeof pki) => certificateFault(pki[name].certificate, [], now)?.reason
  for (const name of ['alpha', 'beta', 'peer', 'revoked', 'foreign', 'self-signed'] as const)
    expect(fault(name)).toBeUndefined()
  expect(fault('expired')).toBe('expired')
  expect(fault('not-yet-valid')).toBe('not-yet-valid')
  expect(fault('weak')).toBe('weak-key')
  expect(fault('wrong-usage')).toBe('wrong-usage')
})

test('they are written as pairs that nobody else can read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'keyreel-certs-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeCertificates(pki, directory)
  const files = await readdir(directory)
  expect(files).toHaveLength(2 * Object.keys(developmentCertificates).length)
  for (const file of files) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
})

test('the README names every one of them', () => {
  const readme = readFileSync(new URL('../../certs/README.md', import.meta.url), 'utf8')
  for (const name of Object.keys(developmentCertificates)) expect(readme).toContain(`| \`${name}\``)
})
