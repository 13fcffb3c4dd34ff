// Operators: whose certificate is taken, and that a key stands for one person only.
import { describe, expect, test } from 'vitest'
import {
  addOperator,
  operatorFault,
  operatorNamed,
  operators,
  revokeOperator,
} from '../../src/access/operators.ts'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { person, type KindOfKey } from './people.ts'
import { day, newSite, now, type Site } from './site.ts'

const add = ({ store }: Site, name: string, certificate: string | Uint8Array) =>
  addOperator(store, { name, input: Buffer.from(certificate), file: 'carol.pem' })

describe('an operator', () => {
  test.each<KindOfKey>(['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA-2048'])(
    'is taken with a key of %s, and the act is on record',
    async (kind) => {
      const site = await newSite()
      const { certificate } = person('Carol', now, { kind })
      const carol = await add(site, 'carol', certificate)
      expect(carol).toMatchObject({ name: 'carol', added: now, revoked: undefined })
      expect(carol.certificate.key.name).toBe(kind)
      expect(operatorFault(carol, now)).toBeUndefined()
      expect((await site.store.read(operators)).map(({ name }) => name)).toEqual(['carol'])
      const records = await site.store.readAudit({ chain: 'test', after: 0, limit: 1000 })
      expect(records.at(-1)).toMatchObject({
        operation: 'operator add',
        details: { operator: 'carol', fingerprint: carol.certificate.fingerprint },
      })
    },
  )

  test('is taken with a certificate in DER', async () => {
    const site = await newSite()
    const { der } = parseCertificate(person('Carol', now).certificate)
    expect(await add(site, 'carol', der)).toMatchObject({ name: 'carol' })
  })

  test.each<[string, () => string | Uint8Array]>([
    ['not-a-certificate', () => 'no certificate'],
    ['not-a-certificate', () => person('Carol', now).key],
    ['weak-key', () => person('Carol', now, { kind: 'RSA-1024' }).certificate],
    ['weak-key', () => person('Carol', now, { kind: 'secp256k1' }).certificate],
    ['wrong-usage', () => person('Carol', now, { use: 'encryption' }).certificate],
    ['certificate-expired', () => person('Carol', now, { notAfter: now - 1n }).certificate],
    ['certificate-not-yet-valid', () => person('Carol', now, { notBefore: now + day }).certificate],
  ])('is refused: %s', async (code, input) => {
    const site = await newSite()
    await expect(add(site, 'carol', input())).rejects.toMatchObject({ code })
    expect(await site.store.read(operators)).toEqual([])
  })

  test('has a name and a key that nobody else has or had', async () => {
    const site = await newSite()
    const carol = person('Carol', now)
    await add(site, 'carol', carol.certificate)
    const again = person('Dave', now, { renews: carol.pair }).certificate
    const taken = { code: 'operator-exists' }
    await expect(add(site, 'dave', again)).rejects.toMatchObject(taken)
    await expect(add(site, 'carol', person('Carol', now).certificate)).rejects.toMatchObject(taken)
    await revokeOperator(site.store, 'carol')
    await expect(add(site, 'dave', again)).rejects.toMatchObject(taken)
    await expect(add(site, 'carol', person('Carol', now).certificate)).rejects.toMatchObject(taken)
    await expect(add(site, 'administrator', again)).rejects.toMatchObject(taken)
    await expect(add(site, 'a b', again)).rejects.toMatchObject({ code: 'name' })
  })

  test('that was revoked may not approve, stays on the list, and is not revoked twice', async () => {
    const site = await newSite()
    await add(site, 'carol', person('Carol', now).certificate)
    const revoked = await revokeOperator(site.store, 'carol')
    expect(revoked.revoked).toBe(now)
    expect(operatorFault(revoked, now)).toContain('was revoked')
    const kept = await site.store.read((work) => operatorNamed(work, 'carol'))
    expect(kept.revoked).toBe(now)
    await expect(revokeOperator(site.store, 'carol')).rejects.toMatchObject({
      code: 'operator-revoked',
    })
    await expect(revokeOperator(site.store, 'dave')).rejects.toMatchObject({
      code: 'no-such-operator',
    })
  })

  test('whose certificate has expired since may not approve', async () => {
    const site = await newSite()
    const carol = await add(
      site,
      'carol',
      person('Carol', now, { notAfter: now + day }).certificate,
    )
    expect(operatorFault(carol, now + day)).toBeUndefined()
    expect(operatorFault(carol, now + day + 1n)).toContain('expired')
    expect(operatorFault(carol, 0n)).toContain('valid from')
  })
})
