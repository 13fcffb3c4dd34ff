import { describe, expect, test } from 'vitest'
import { newCase, newRun } from './memory.ts'
import { ask, attribute, differences, id0, key, now, nowText, refuse, tell, uid } from './talk.ts'

describe('dates', () => {
  const show = (name: string, value: string, id = id0): string =>
    tell('GetAttributes', id + attribute(name, 'DateTime', value))
  const shown = (name: string, value: string): string => show(name, value, uid('a1'))
  const create = (name: string, value: string): string =>
    ask('Create', `<TemplateAttribute>${attribute(name, 'DateTime', value)}</TemplateAttribute>`)

  test('that only the server sets are free', () => {
    const talk = { published: show('Initial Date', '$NOW'), found: shown('Initial Date', nowText) }
    expect(differences(talk)).toEqual([])
    expect(differences({ ...talk, found: shown('Initial Date', '2001-01-01T00:00:00Z') })).toEqual(
      [],
    )
  })

  test('that the client has set come back as sent', () => {
    const memory = newCase(newRun(), now)
    const made = {
      request: create('Activation Date', '$NOW-20'),
      published: tell('Create', id0),
      found: tell('Create', uid('a1')),
    }
    differences(made, memory)
    const published = show('Activation Date', '$NOW-20')
    const kept = shown('Activation Date', '2023-11-14T22:13:00Z')
    expect(differences({ published, found: kept }, memory)).toEqual([])
    const lost = shown('Activation Date', nowText)
    expect(differences({ published, found: lost }, memory).join()).toContain(
      'expected $NOW-20 (2023-11-14T22:13:00.000Z), found 2023-11-14T22:13:20.000Z',
    )
  })

  test('of a client attribute are those of the case that has set them', () => {
    const run = newRun()
    const made = {
      request: create('x-Loaded', '$NOW'),
      published: tell('Create', id0),
      found: tell('Create', uid('a1')),
    }
    differences(made, newCase(run, now))
    const later = newCase(run, now + 5n)
    const talk = { published: show('x-Loaded', '$NOW'), found: shown('x-Loaded', nowText) }
    expect(differences(talk, later)).toEqual([])
  })

  test('named in a Locate are not taken for set', () => {
    const memory = newCase(newRun(), now)
    const found = { published: tell('Locate', id0), found: tell('Locate', uid('a1')) }
    differences(
      { request: ask('Locate', attribute('Initial Date', 'DateTime', '$NOW')), ...found },
      memory,
    )
    const talk = {
      published: show('Initial Date', '$NOW'),
      found: shown('Initial Date', '2001-01-01T00:00:00Z'),
    }
    expect(differences(talk, memory)).toEqual([])
  })
})

describe('what the server may choose', () => {
  test('a Query answer may list more, in any order, and names its own vendor', () => {
    const list = (tag: string, type: string, ...values: string[]): string =>
      values.map((value) => `<${tag} type="${type}" value="${value}"/>`).join('')
    const vendor = list('VendorIdentification', 'TextString', 'server-vendor.com')
    const published = tell(
      'Query',
      list('Operation', 'Enumeration', 'Query', 'Get') +
        list('ObjectType', 'Enumeration', 'SymmetricKey') +
        vendor +
        '<ServerInformation/>',
    )
    const found = (...operations: string[]): string =>
      tell(
        'Query',
        list('Operation', 'Enumeration', ...operations) +
          list('ObjectType', 'Enumeration', 'SecretData', 'SymmetricKey') +
          list('VendorIdentification', 'TextString', 'keyreel') +
          '<ServerInformation/>' +
          list('ApplicationNamespace', 'TextString', 'LIBRARY-LTO'),
      )
    expect(differences({ published, found: found('Get', 'Locate', 'Query') })).toEqual([])
    expect(differences({ published, found: found('Get', 'Locate') })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload: Operation(Query) is missing',
    ])
  })

  test('a digest differs with the key that the server has made, not with a registered one', () => {
    const digest = (value: string): string => `<Attribute>
      <AttributeName type="TextString" value="Digest"/><AttributeValue>
      <HashingAlgorithm type="Enumeration" value="SHA_256"/>
      <DigestValue type="ByteString" value="${value}"/></AttributeValue></Attribute>`
    const talk = {
      published: tell('GetAttributes', id0 + digest('00')),
      found: tell('GetAttributes', uid('a1') + digest('01')),
    }
    expect(differences(talk)).toEqual([])
    const memory = newCase(newRun(), now)
    differences({ published: tell('Register', id0), found: tell('Register', uid('a1')) }, memory)
    expect(differences(talk, memory)).toHaveLength(1)
  })

  test('the Result Message is free, the Result Reason is not', () => {
    const published = refuse('Get', 'ItemNotFound', 'DENIED')
    expect(differences({ published, found: refuse('Get', 'ItemNotFound') })).toEqual([])
    expect(differences({ published, found: refuse('Get', 'ItemNotFound', 'other') })).toEqual([])
    expect(differences({ published, found: refuse('Get', 'PermissionDenied') })).toEqual([
      'ResponseMessage/BatchItem[0]/ResultReason: expected ItemNotFound, found PermissionDenied',
    ])
  })

  test('an item that failed instead is told in one line, with reason and message', () => {
    const found = refuse('Destroy', 'PermissionDenied', 'it is active')
    expect(differences({ published: tell('Destroy', id0), found })).toEqual([
      'ResponseMessage/BatchItem[0]: ' +
        'expected Success, found OperationFailed PermissionDenied "it is active"',
    ])
  })

  test('a header may carry a Server Correlation Value', () => {
    const header = '<ServerCorrelationValue type="TextString" value="s-1"/>'
    const talk = { published: tell('Destroy', id0), found: tell('Destroy', uid('a1')), header }
    expect(differences(talk)).toEqual([])
  })

  test('a message extension may be added unless it is critical', () => {
    const found = (critical: boolean): string =>
      tell('Destroy', uid('a1')).replace(
        '</BatchItem>',
        `<MessageExtension><VendorIdentification type="TextString" value="v"/>
         <CriticalityIndicator type="Boolean" value="${critical}"/>
         <VendorExtension/></MessageExtension></BatchItem>`,
      )
    const published = tell('Destroy', id0)
    expect(differences({ published, found: found(false) })).toEqual([])
    expect(differences({ published, found: found(true) })).toHaveLength(1)
  })

  test('Discover Versions may name more versions when none were asked, in their order', () => {
    const list = (...versions: string[]): string =>
      versions
        .map((text) => text.split('.'))
        .map(
          ([major, minor]) => `<ProtocolVersion>
           <ProtocolVersionMajor type="Integer" value="${major}"/>
           <ProtocolVersionMinor type="Integer" value="${minor}"/></ProtocolVersion>`,
        )
        .join('')
    const published = tell('DiscoverVersions', list('1.1', '1.0'))
    const found = (...versions: string[]): string => tell('DiscoverVersions', list(...versions))
    expect(differences({ published, found: found('1.4', '1.1', '1.0') })).toEqual([])
    expect(differences({ published, found: found('1.0', '1.1') })).toHaveLength(1)
    const request = ask('DiscoverVersions', list('1.1', '1.0'))
    expect(differences({ request, published, found: found('1.4', '1.1', '1.0') })).toHaveLength(1)
  })
})

describe('what has to be as published', () => {
  test('the order of the fields of a structure', () => {
    const published = tell('Get', id0 + key('2a'.repeat(16)))
    const found = tell('Get', key('17'.repeat(16)) + uid('a1'))
    expect(differences({ published, found })).toContain(
      'ResponseMessage/BatchItem[0]/ResponsePayload: SymmetricKey is out of order',
    )
  })

  test('the order of located objects', () => {
    const memory = newCase(newRun(), now)
    const both = tell('Locate', id0 + uid('$UNIQUE_IDENTIFIER_1'))
    differences({ published: both, found: tell('Locate', uid('a1') + uid('b2')) }, memory)
    const turned = { published: both, found: tell('Locate', uid('b2') + uid('a1')) }
    expect(differences(turned, memory)).toHaveLength(2)
  })

  test('fields: none more, none missing, none of another type', () => {
    const published = tell('Destroy', id0)
    const more = `${uid('a1')}<ObjectType type="Enumeration" value="SymmetricKey"/>`
    expect(differences({ published, found: tell('Destroy', more) })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload: ObjectType is not expected',
    ])
    expect(differences({ published, found: tell('Destroy') })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload: UniqueIdentifier is missing',
    ])
    const other = '<UniqueIdentifier type="Integer" value="1"/>'
    expect(differences({ published, found: tell('Destroy', other) })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier: ' +
        'expected the type TextString, found Integer',
    ])
  })

  test('the number of batch items', () => {
    const one = tell('Destroy', id0)
    const two = one + tell('Get', uid('a1'))
    expect(differences({ published: one, found: two })).toEqual([
      'ResponseMessage/ResponseHeader/BatchCount: expected 1, found 2',
      'ResponseMessage: BatchItem is not expected',
    ])
    expect(differences({ published: two, found: one })).toContain(
      'ResponseMessage: BatchItem is missing',
    )
  })
})
