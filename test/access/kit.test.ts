import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import { enrolledClients } from '../../src/access/clients.ts'
import { enrolLibrary, renewLibrary } from '../../src/access/enrolment.ts'
import type { KitWish } from '../../src/access/kit.ts'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { opensslDirectory } from '../crypto/openssl.ts'
import { initialisedStore, now } from './test-store.ts'

const pki = await makeCertificates(now)
const generate = { generate: 'p256' } as const

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'keyreel-kit-'))
  onTestFinished(() => rm(made, { recursive: true }))
  return made
}

async function enrolWithKit(wish: Partial<KitWish> = {}) {
  const store = await initialisedStore()
  const parent = await directory()
  const kit = { directory: join(parent, 'alpha'), ...wish }
  const enrolled = await enrolLibrary(store, { name: 'alpha', source: generate, kit })
  const read = (file: string) => readFile(join(kit.directory, file), 'utf8')
  return { store, parent, kit, enrolled, read }
}

describe('an enrolment kit', () => {
  test('holds its six files, for their owner alone, and leaves nothing beside it', async () => {
    const { parent, kit } = await enrolWithKit()
    expect(await readdir(parent)).toEqual(['alpha'])
    expect((await readdir(kit.directory)).toSorted()).toEqual([
      'README.txt',
      'ca.pem',
      'certificate.pem',
      'client.p12',
      'key.pem',
      'password.txt',
    ])
    expect((await stat(kit.directory)).mode & 0o777).toBe(0o700)
    for (const file of await readdir(kit.directory))
      expect((await stat(join(kit.directory, file))).mode & 0o777).toBe(0o600)
  })

  test('has a key that fits its certificate, by the word of openssl', async () => {
    const { kit, read, enrolled } = await enrolWithKit()
    const openssl = opensslDirectory()
    const file = (name: string) => join(kit.directory, name)
    expect(openssl.run('pkey', '-in', file('key.pem'), '-pubout')).toBe(
      openssl.run('x509', '-in', file('certificate.pem'), '-noout', '-pubkey'),
    )
    const at = ['-attime', String(now)]
    expect(
      openssl.run('verify', ...at, '-CAfile', file('ca.pem'), file('certificate.pem')),
    ).toContain('OK')
    expect(parseCertificate(await read('certificate.pem')).fingerprint).toBe(
      enrolled.certificate.fingerprint,
    )
  })

  test.each(['modern', 'legacy'] as const)(
    'opens its %s PKCS#12 file with the password beside it',
    async (pkcs12) => {
      const { kit, read } = await enrolWithKit({ pkcs12 })
      const openssl = opensslDirectory()
      const opened = openssl.run(
        ...['pkcs12', '-in', join(kit.directory, 'client.p12'), '-nodes'],
        ...['-passin', `file:${join(kit.directory, 'password.txt')}`],
        ...(pkcs12 === 'legacy' ? ['-legacy'] : []),
      )
      expect(opened).toContain((await read('key.pem')).trim())
      expect(opened).toContain((await read('ca.pem')).trim())
    },
  )

  test('tells what to enter where: addresses, port, files and fingerprints', async () => {
    const { read, enrolled } = await enrolWithKit()
    const text = await read('README.txt')
    for (const word of ['keyreel.example.com', '192.0.2.10', '5696', 'ca.pem', 'client.p12'])
      expect(text).toContain(word)
    for (const vendor of ['Quantum', 'HPE', 'IBM', 'Dell', 'Spectra'])
      expect(text).toContain(vendor)
    expect(text).not.toContain('localhost')
    expect(text.replaceAll(/[:\s]/g, '').toLowerCase()).toContain(enrolled.certificate.fingerprint)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(90)
  })

  test('names the addresses and the port it is told', async () => {
    const { read } = await enrolWithKit({ servers: ['kms1', 'kms2'], port: 5697 })
    const text = await read('README.txt')
    expect(text).toMatch(/kms1\n\s+kms2\n/)
    expect(text).toContain('5697')
    expect(text).not.toContain('192.0.2.10')
  })

  test('never repeats a password in the README', async () => {
    const { read } = await enrolWithKit()
    expect(await read('README.txt')).not.toContain((await read('password.txt')).trim())
  })

  test('of a library that brought its certificate has no key and does not speak of one', async () => {
    const store = await initialisedStore()
    const kit = { directory: join(await directory(), 'alpha') }
    const source = { certificate: pki.alpha.certificate.pem }
    await enrolLibrary(store, { name: 'alpha', source, kit })
    expect((await readdir(kit.directory)).toSorted()).toEqual([
      'README.txt',
      'ca.pem',
      'certificate.pem',
    ])
    const text = await readFile(join(kit.directory, 'README.txt'), 'utf8')
    expect(text).not.toMatch(/key\.pem|client\.p12|password\.txt/)
  })

  test('comes with a renewal too', async () => {
    const { store, parent } = await enrolWithKit()
    const kit = { directory: join(parent, 'alpha-2') }
    await renewLibrary(store, { name: 'alpha', source: generate, kit })
    expect((await readdir(parent)).toSorted()).toEqual(['alpha', 'alpha-2'])
  })
})

describe('nothing is written and nobody enrolled', () => {
  const attempt = async (kit: KitWish, name = 'alpha') => {
    const store = await initialisedStore()
    const failed: unknown = await enrolLibrary(store, { name, source: generate, kit }).then(
      () => undefined,
      (error: unknown) => error,
    )
    return { failed, clients: await store.read(enrolledClients) }
  }

  test('when the directory exists, be it empty', async () => {
    const parent = await directory()
    await mkdir(join(parent, 'alpha'))
    const { failed, clients } = await attempt({ directory: join(parent, 'alpha') })
    expect(failed).toMatchObject({ code: 'kit-exists' })
    expect(clients).toEqual([])
    expect(await readdir(join(parent, 'alpha'))).toEqual([])
  })

  test('when a link of that name leads nowhere', async () => {
    const parent = await directory()
    await symlink('/nowhere', join(parent, 'alpha'))
    const { failed } = await attempt({ directory: join(parent, 'alpha') })
    expect(failed).toMatchObject({ code: 'kit-exists' })
  })

  test('when there is no directory to put it in', async () => {
    const { failed, clients } = await attempt({ directory: join(await directory(), 'no', 'alpha') })
    expect(failed).toMatchObject({ code: 'kit-unwritable' })
    expect((failed as { hint: string }).hint).toContain('mkdir -p')
    expect(clients).toEqual([])
  })

  test('when a file is where the directory should be', async () => {
    const { failed } = await attempt({ directory: '/dev/null/alpha' })
    expect(failed).toMatchObject({ code: 'kit-unwritable' })
  })

  test('when the library is refused after the kit was staged', async () => {
    const store = await initialisedStore()
    const parent = await directory()
    const kits = ['one', 'two'].map((name) => ({ directory: join(parent, name) }))
    const both = await Promise.allSettled(
      kits.map((kit) => enrolLibrary(store, { name: 'alpha', source: generate, kit })),
    )
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await readdir(parent)).toHaveLength(1)
  })
})
