// Archive and Recover: what is archived is refused to everybody until it is recovered.
import { describe, expect, test } from 'vitest'
import { everyVersion, isLate, testEngine, type Ask, type TestEngine } from './engine.ts'
import { contact } from './refusals.ts'

const archival = 2

async function archived(engine: TestEngine, as: (typeof everyVersion)[number]) {
  const UniqueIdentifier = await engine.key(as, 'A')
  engine.time.seconds += 5n
  await engine.call(as, 'Archive', { UniqueIdentifier })
  return UniqueIdentifier
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('an archived object refuses everything until it is recovered', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await archived(engine, as)
    const request = { UniqueIdentifier }
    const asks: Ask[] = [
      ['Get', request],
      ['GetAttributes', request],
      ['GetAttributeList', request],
      ['Check', request],
      ['Activate', request],
      ['Revoke', { ...request, RevocationReason: { RevocationReasonCode: 'KeyCompromise' } }],
      ['Destroy', request],
      ['Archive', request],
      ['ObtainLease', request],
      ['GetUsageAllocation', { ...request, UsageLimitsCount: 1n }],
      ['AddAttribute', { ...request, NewAttribute: contact }],
    ]
    for (const [operation, asked] of asks)
      expect(await engine.refused(as, operation, asked), operation).toBe('ObjectArchived')
    await engine.call(as, 'Recover', request)
    await engine.call(as, 'Get', request)
    await engine.call(as, 'Destroy', request)
  })

  test('Archive sets the Archive Date, Recover takes it away; both are changes', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await archived(engine, as)
    const [found] = (
      await engine.call(as, 'Locate', {
        StorageStatusMask: archival,
        Attributes: [{ tag: 'ArchiveDate', value: engine.time.seconds }],
      })
    ).UniqueIdentifier
    expect(found).toBe(UniqueIdentifier)
    engine.time.seconds += 5n
    expect(await engine.call(as, 'Recover', { UniqueIdentifier })).toEqual({ UniqueIdentifier })
    expect(await engine.attribute(as, UniqueIdentifier, 'ArchiveDate')).toEqual([])
    expect(await engine.attribute(as, UniqueIdentifier, 'LastChangeDate')).toEqual([
      engine.time.seconds,
    ])
  })

  test('Locate finds archived objects in archival storage only', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await archived(engine, as)
    const locate = async (StorageStatusMask?: number) => {
      const mask = StorageStatusMask === undefined ? {} : { StorageStatusMask }
      return (await engine.call(as, 'Locate', { ...mask, Attributes: [] })).UniqueIdentifier
    }
    expect(await locate()).toEqual([])
    expect(await locate(1)).toEqual([])
    expect(await locate(archival)).toEqual([UniqueIdentifier])
    expect(await locate(1 | archival)).toEqual([UniqueIdentifier])
  })

  test('Recover lets the rest of the batch mean the object it brought back', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await archived(engine, as)
    const items = await engine.batch(as, [
      ['Recover', { UniqueIdentifier }],
      ['GetAttributes', { AttributeReference: [{ tag: 'ObjectType' }] }],
    ])
    expect(items.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'Success'])
    expect(items[1]!.ResponsePayload).toMatchObject({ UniqueIdentifier })
  })

  test('recovering an object that is on-line changes nothing', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A')
    const [before] = await engine.attribute(as, UniqueIdentifier, 'LastChangeDate')
    engine.time.seconds += 5n
    await engine.call(as, 'Recover', { UniqueIdentifier })
    expect(await engine.attribute(as, UniqueIdentifier, 'LastChangeDate')).toEqual([before])
  })

  test('an object that is not there is neither archived nor recovered', async () => {
    const engine = await testEngine()
    const reason = isLate(as) ? 'ObjectNotFound' : 'ItemNotFound'
    expect(await engine.refused(as, 'Archive', { UniqueIdentifier: 'none' })).toBe(reason)
    expect(await engine.refused(as, 'Recover', { UniqueIdentifier: 'none' })).toBe(reason)
  })

  test('both are in the audit record', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await archived(engine, as)
    await engine.call(as, 'Recover', { UniqueIdentifier })
    const entries = (await engine.audited()).filter(({ object }) => object === UniqueIdentifier)
    expect(entries.map(({ operation }) => operation)).toEqual(['Create', 'Archive', 'Recover'])
  })
})
