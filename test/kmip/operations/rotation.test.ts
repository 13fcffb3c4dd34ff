// Keys that the server re-keys by itself (KMIP 2.1 §4.48 to §4.54).
import { describe, expect, test } from 'vitest'
import { setGroupPolicy } from '../../../src/access/groups.ts'
import { rotateDue } from '../../../src/kmip/operations/rotation.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, principal, started, tapeKey, testEngine, type TestEngine } from './engine.ts'
import { usage } from './keys.ts'
import { half, kinds, pairOf } from './objects.ts'
import { name } from './refusals.ts'

const rotates: AttributeInstance[] = [
  { tag: 'RotateAutomatic', value: true },
  { tag: 'RotateInterval', value: 100 },
  { tag: 'RotateOffset', value: 5 },
]
const active: AttributeInstance = { tag: 'ActivationDate', value: started }

const plainKey = tapeKey('A').filter(({ tag }) => tag !== 'ApplicationSpecificInformation')

async function key(engine: TestEngine, ...more: AttributeInstance[]): Promise<string> {
  const Attributes = [...plainKey, ...more]
  const made = await engine.call('2.1', 'Create', { ObjectType: 'SymmetricKey', Attributes })
  return made.UniqueIdentifier
}

const rotate = (engine: TestEngine) => rotateDue(engine.store, engine.responder)

const linksOf = async (engine: TestEngine, id: string) =>
  Object.fromEntries(
    ((await engine.attribute('2.1', id, 'Link')) as Record<string, string>[]).map(
      ({ LinkType, LinkedObjectIdentifier }) => [LinkType!, LinkedObjectIdentifier!],
    ),
  )

const held = async (engine: TestEngine): Promise<string[]> =>
  (await engine.call('2.1', 'Locate', { Attributes: [name('name of A')] })).UniqueIdentifier

test('a key is replaced when its interval is over, again and again', async () => {
  const engine = await testEngine()
  const first = await key(engine, active, ...rotates)
  engine.time.seconds += 99n
  await rotate(engine)
  expect(await held(engine)).toEqual([first])
  engine.time.seconds += 1n
  await rotate(engine)
  const [second] = await held(engine)
  expect(second).not.toBe(first)
  expect(await engine.attribute('2.1', second!, 'ActivationDate')).toEqual([started + 105n])
  expect(await engine.attribute('2.1', second!, 'RotateGeneration')).toEqual([1])
  expect(await engine.attribute('2.1', second!, 'RotateAutomatic')).toEqual([true])
  expect(await engine.attribute('2.1', first, 'RotateAutomatic')).toEqual([false])
  expect(await engine.attribute('2.1', first, 'RotateDate')).toEqual([started + 100n])
  await rotate(engine)
  expect(await held(engine)).toEqual([second])
  engine.time.seconds += 100n
  await rotate(engine)
  const [third] = await held(engine)
  expect(await engine.attribute('2.1', third!, 'RotateGeneration')).toEqual([2])
  expect(await engine.attribute('2.1', third!, 'RotateLatest')).toEqual([true])
  const records = (await engine.audited()).filter(({ operation }) => operation === 'Rotate')
  expect(records.map(({ object, details }) => [object, details])).toEqual([
    [second, { replaced: first }],
    [third, { replaced: second }],
  ])
  expect(records[0]).toMatchObject({ actor: { name: 'keyreel', kind: 'server' } })
})

test('only keys rotate that say so, have an interval, and are no key of a tape', async () => {
  const engine = await testEngine()
  const [automatic, interval] = rotates as [AttributeInstance, AttributeInstance]
  await engine.key('2.1', 'tape', rotates)
  const made: string[] = []
  for (const given of [[automatic], [interval], [{ ...automatic, value: false }, interval]]) {
    made.push(await key(engine, ...given))
    await engine.call('2.1', 'DeleteAttribute', {
      UniqueIdentifier: made.at(-1)!,
      AttributeReference: { tag: 'Name' },
    })
  }
  engine.time.seconds += 1000n
  await rotate(engine)
  const all = await engine.call('2.1', 'Locate', { Attributes: [] })
  expect(all.UniqueIdentifier).toHaveLength(4)
})

test('a key that is destroyed, archived or replaced already is left alone', async () => {
  const engine = await testEngine()
  const destroyed = await key(engine, ...rotates)
  await engine.call('2.1', 'Destroy', { UniqueIdentifier: destroyed })
  const archived = await key(engine, ...rotates)
  await engine.call('2.1', 'Archive', { UniqueIdentifier: archived })
  engine.time.seconds += 1000n
  await rotate(engine)
  const all = await engine.call('2.1', 'Locate', { Attributes: [], StorageStatusMask: 7 })
  expect(all.UniqueIdentifier.sort()).toEqual([destroyed, archived].sort())
})

test('a key that cannot be re-keyed stops rotating, and its record says why', async () => {
  const engine = await testEngine()
  const id = await key(engine, { tag: 'DeactivationDate', value: started + 5000n }, ...rotates)
  engine.time.seconds += 100n
  await rotate(engine)
  await rotate(engine)
  expect(await held(engine)).toEqual([id])
  expect(await engine.attribute('2.1', id, 'RotateAutomatic')).toEqual([false])
  expect(await engine.attribute('2.1', id, 'Link')).toEqual([])
  const records = (await engine.audited()).filter(({ operation }) => operation === 'Rotate')
  expect(records).toHaveLength(1)
  expect(records[0]).toMatchObject({ object: id, outcome: 'InvalidField' })
  expect(JSON.stringify(records[0]!.details)).toContain('Activation Date')
  expect(engine.alarms()).toHaveLength(1)
})

test('what rotates is not told to versions that do not have it', async () => {
  const engine = await testEngine()
  const id = await key(engine, ...rotates)
  for (const as of everyVersion.filter((version) => version < '2.1')) {
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
    expect(Attributes!.filter(({ tag }) => tag.startsWith('Rotate'))).toEqual([])
  }
})

describe.each(['PrivateKey', 'PublicKey'] as const)('a pair whose %s rotates', (which) => {
  test('is replaced whole, outside the act', async () => {
    const engine = await testEngine()
    const old = await engine.call('2.1', 'CreateKeyPair', {
      CommonAttributes: [
        { tag: 'CryptographicAlgorithm', value: 'EC' },
        { tag: 'CryptographicDomainParameters', value: { RecommendedCurve: 'P_256' } },
        active,
      ],
      PrivateKeyAttributes: [usage('Sign'), ...(which === 'PrivateKey' ? rotates : [])],
      PublicKeyAttributes: [usage('Verify'), ...(which === 'PublicKey' ? rotates : [])],
    })
    engine.time.seconds += 100n
    await rotate(engine)
    await rotate(engine)
    const made: string[] = []
    for (const id of [old.PrivateKeyUniqueIdentifier, old.PublicKeyUniqueIdentifier]) {
      const links = await linksOf(engine, id)
      expect(links.ReplacementObjectLink).toBeDefined()
      made.push(links.ReplacementObjectLink!)
      expect(await engine.attribute('2.1', id, 'RotateLatest')).toEqual([false])
      expect(await engine.attribute('2.1', id, 'RotateAutomatic')).not.toContain(true)
    }
    const [privateKey, publicKey] = made as [string, string]
    expect((await linksOf(engine, privateKey)).PublicKeyLink).toBe(publicKey)
    const rotating = which === 'PrivateKey' ? privateKey : publicKey
    expect(await engine.attribute('2.1', rotating, 'RotateAutomatic')).toEqual([true])
    expect(await engine.attribute('2.1', rotating, 'ActivationDate')).toEqual([started + 105n])
    expect((await engine.call('2.1', 'Locate', { Attributes: [] })).UniqueIdentifier).toHaveLength(
      4,
    )
    const records = (await engine.audited()).filter(({ operation }) => operation === 'Rotate')
    expect(records).toMatchObject([
      { object: privateKey, details: { replaced: old.PrivateKeyUniqueIdentifier, publicKey } },
    ])
  })
})

test('a certificate that rotates is renewed, for as long as the old one', async () => {
  const engine = await testEngine()
  const key = half(await pairOf(kinds['P-256']!), 'PublicKey', 'X_509')
  const { UniqueIdentifier: publicKey } = await engine.call('2.1', 'Register', key)
  const old = await engine.call('2.1', 'Certify', {
    UniqueIdentifier: publicKey,
    Attributes: [
      { tag: 'CertificateType', value: 'X_509' },
      { tag: 'DeactivationDate', value: started + 1000n },
      active,
      ...rotates,
    ],
  })
  engine.time.seconds += 100n
  await rotate(engine)
  const renewed = (await linksOf(engine, old.UniqueIdentifier)).ReplacementObjectLink!
  expect(await engine.attribute('2.1', renewed, 'ActivationDate')).toEqual([started + 105n])
  expect(await engine.attribute('2.1', renewed, 'DeactivationDate')).toEqual([started + 1105n])
  expect(await engine.attribute('2.1', renewed, 'RotateGeneration')).toEqual([1])
  expect(await engine.attribute('2.1', renewed, 'RotateAutomatic')).toEqual([true])
  expect((await linksOf(engine, publicKey)).CertificateLink).toBe(renewed)
})

test('a private key without its public key stops rotating, and nothing else is changed', async () => {
  const engine = await testEngine()
  const key = half(await pairOf(kinds['P-256']!), 'PrivateKey', 'PKCS_8')
  const Attributes = [...key.Attributes!, ...rotates]
  const { UniqueIdentifier: id } = await engine.call('2.1', 'Register', { ...key, Attributes })
  engine.time.seconds += 100n
  await rotate(engine)
  expect(await engine.attribute('2.1', id, 'RotateAutomatic')).toEqual([false])
  expect(await engine.attribute('2.1', id, 'RotateGeneration')).toEqual([])
  expect(engine.alarms()).toEqual([
    `object ${id} does not rotate any more: object ${id} is not linked to one other half`,
  ])
  expect(await engine.audited()).toContainEqual(
    expect.objectContaining({ operation: 'Rotate', object: id, outcome: 'PermissionDenied' }),
  )
})

test('a damaged key keeps none of another group from rotating', async () => {
  const engine = await testEngine()
  await engine.store.act(async (work) => {
    await work.putDocument('group', 'other', { created: Number(started) })
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'group', outcome: 'Success' })
  })
  const damaged = await key(engine, active, ...rotates)
  const there = principal({ name: 'beta', owner: 'beta', group: 'other' })
  const Attributes = [...plainKey, active, ...rotates]
  const request = { ObjectType: 'SymmetricKey' as const, Attributes }
  const { UniqueIdentifier } = await engine.call('2.1', 'Create', request, there)
  engine.time.seconds += 100n
  await engine.tamper(
    "UPDATE objects SET mac = x'00' WHERE id = unhex(?)",
    damaged.replaceAll('-', ''),
  )
  await expect(rotate(engine)).rejects.toThrow('objects could not be rotated')
  const latest = { UniqueIdentifier, AttributeReference: [{ tag: 'RotateLatest' as const }] }
  expect((await engine.call('2.1', 'GetAttributes', latest, there)).Attributes).toEqual([
    { tag: 'RotateLatest', value: false },
  ])
})

test('a group that lacks copies rotates once they are there again', async () => {
  const engine = await testEngine()
  const id = await key(engine, active, ...rotates)
  engine.time.seconds += 100n
  const copies = () => Promise.resolve({ count: 9, missing: '' })
  await setGroupPolicy(engine.store, 'default', ['ready=2'], { copies })
  await expect(rotate(engine)).rejects.toThrow('objects could not be rotated')
  expect(await engine.attribute('2.1', id, 'RotateAutomatic')).toEqual([true])
  await engine.policy('ready=1')
  await rotate(engine)
  expect(await engine.attribute('2.1', id, 'RotateLatest')).toEqual([false])
})

test('a key whose dates would leave the calendar rotates no more, and says so', async () => {
  const engine = await testEngine()
  const end: AttributeInstance = { tag: 'DeactivationDate', value: 2n ** 63n - 1n }
  const id = await key(engine, active, end, ...rotates)
  engine.time.seconds += 100n
  await rotate(engine)
  expect(await engine.attribute('2.1', id, 'RotateAutomatic')).toEqual([false])
  expect(engine.alarms()).toEqual([
    `object ${id} does not rotate any more: the Offset takes Deactivation Date beyond what a date can say`,
  ])
})
