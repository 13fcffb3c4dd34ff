import { describe, expect, test } from 'vitest'
import { expectedMessage, filled, UnboundPlaceholder } from './expected.ts'
import { newCase, newRun, type RunMemory } from './memory.ts'
import { ask, attribute, differences, element, id0, key, message, now, tell, uid } from './talk.ts'

describe('identifiers', () => {
  test('a placeholder takes the first identifier shown and demands it from then on', () => {
    const memory = newCase(newRun(), now)
    const first = { published: tell('Create', id0), found: tell('Create', uid('a1')) }
    expect(differences(first, memory)).toEqual([])
    const again = { published: tell('Get', id0), found: tell('Get', uid('a1')) }
    expect(differences(again, memory)).toEqual([])
    const other = { published: tell('Get', id0), found: tell('Get', uid('b2')) }
    expect(differences(other, memory)).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier: ' +
        'expected $UNIQUE_IDENTIFIER_0, which is "a1", found "b2"',
    ])
  })

  test('two placeholders are never one object', () => {
    const published = tell('Locate', id0 + uid('$UNIQUE_IDENTIFIER_1'))
    const found = tell('Locate', uid('a1') + uid('a1'))
    expect(differences({ published, found })).toHaveLength(1)
  })

  test('a later request carries what an answer has bound', () => {
    const memory = newCase(newRun(), now)
    const request = expectedMessage(element(message('Request', ask('Get', id0))))
    expect(() => filled(request, memory)).toThrow(UnboundPlaceholder)
    differences({ published: tell('Create', id0), found: tell('Create', uid('a1')) }, memory)
    expect(filled(request, memory)).toEqual(
      expectedMessage(element(message('Request', ask('Get', uid('a1'))))).item,
    )
    const linked = (value: string): string =>
      ask('Locate', `<Link><LinkedObjectIdentifier type="TextString" value="${value}"/></Link>`)
    const link = expectedMessage(element(message('Request', linked('$UNIQUE_IDENTIFIER_0'))))
    expect(filled(link, memory)).toEqual(
      expectedMessage(element(message('Request', linked('a1')))).item,
    )
  })

  test('a later request may also carry a field that an answer has shown as a literal', () => {
    const memory = newCase(newRun(), now)
    const mac = (value: string): string => `<MACData type="ByteString" value="${value}"/>`
    const talk = {
      published: tell('MAC', id0 + mac('2a')),
      found: tell('MAC', uid('a1') + mac('2b')),
    }
    differences(talk, memory)
    const request = expectedMessage(element(message('Request', ask('MACVerify', mac('$MAC_DATA')))))
    expect(filled(request, memory)).toEqual(
      expectedMessage(element(message('Request', ask('MACVerify', mac('2b'))))).item,
    )
  })

  test('a literal identifier is free unless the client has sent it', () => {
    const published = tell('Get', uid('aaa'))
    const found = tell('Get', uid('bbb'))
    expect(differences({ published, found })).toEqual([])
    expect(differences({ request: ask('Get', uid('aaa')), published, found })).toHaveLength(1)
  })
})

describe('key material', () => {
  const made = { published: tell('Create', id0), found: tell('Create', uid('a1')) }
  const get = (material: string, id = 'a1'): string => tell('Get', uid(id) + key(material))
  const published = tell('Get', id0 + key('2a'.repeat(32)))

  test('of a server-made object may be any bytes of the published length', () => {
    const memory = newCase(newRun(), now)
    expect(differences(made, memory)).toEqual([])
    expect(differences({ published, found: get('17'.repeat(32)) }, memory)).toEqual([])
    const short = differences({ published, found: get('17'.repeat(16)) }, memory)
    expect(short.join()).toContain('expected 32 secret bytes, found 16 secret bytes')
  })

  test('of one object is always the same, also in a later case of the run', () => {
    const run: RunMemory = newRun()
    differences({ published, found: get('17'.repeat(32)) }, newCase(run, now))
    expect(differences({ published, found: get('17'.repeat(32)) }, newCase(run, now))).toEqual([])
    const other = differences({ published, found: get('18'.repeat(32)) }, newCase(run, now))
    expect(other.join()).toContain('found other bytes than this object has shown before')
  })

  test('that the client has registered comes back exactly, and is never printed', () => {
    const memory = newCase(newRun(), now)
    const wanted = tell('Get', id0 + key('0102'.repeat(8)))
    differences({ published: tell('Register', id0), found: tell('Register', uid('a1')) }, memory)
    expect(differences({ published: wanted, found: get('0102'.repeat(8)) }, memory)).toEqual([])
    const other = differences({ published: wanted, found: get('0103'.repeat(8)) }, memory)
    expect(other).toHaveLength(1)
    expect(other.join()).not.toContain('0103')
  })
})

describe('what is computed with a key', () => {
  const data = (value: string): string => `<Data type="ByteString" value="${value}"/>`
  const iv = '<IVCounterNonce type="ByteString" value="0102"/>'
  const told = (operation: string, more: string) => ({
    published: tell(operation, id0 + data('2a2a') + more),
    found: tell(operation, uid('a1') + data('1717') + more),
  })
  const maker = (operation: string) => ({
    published: tell(operation, id0),
    found: tell(operation, uid('a1')),
  })

  test('may be other bytes of the same length when the server has made the key', () => {
    const memory = newCase(newRun(), now)
    differences(maker('Create'), memory)
    expect(differences(told('Encrypt', ''), memory)).toEqual([])
    const found = tell('Encrypt', uid('a1') + data('17'))
    expect(differences({ ...told('Encrypt', ''), found }, memory).join()).toContain(
      'expected 2 bytes, found 1',
    )
  })

  test('is as published for a key of the client, unless the server has made the IV', () => {
    const memory = newCase(newRun(), now)
    differences(maker('Register'), memory)
    expect(differences(told('Encrypt', ''), memory)).toHaveLength(1)
    expect(differences(told('Encrypt', iv), memory)).toEqual([])
    expect(differences(told('Decrypt', ''), memory)).toHaveLength(1)
  })

  test('may be other bytes when the padding of a public key encryption is random', () => {
    const memory = newCase(newRun(), now)
    const type = '<ObjectType type="Enumeration" value="PublicKey"/>'
    differences({ ...maker('Register'), request: ask('Register', type) }, memory)
    expect(differences(told('Encrypt', ''), memory)).toEqual([])
    expect(differences(told('Decrypt', ''), memory)).toHaveLength(1)
  })

  test('of an object computed from others is free unless all of those are the client’s', () => {
    for (const [base, free] of [
      ['Create', true],
      ['Register', false],
    ] as const) {
      const memory = newCase(newRun(), now)
      differences(maker(base), memory)
      const derived = uid('$UNIQUE_IDENTIFIER_1')
      const talk = { published: tell('DeriveKey', derived), found: tell('DeriveKey', uid('b2')) }
      differences({ request: ask('DeriveKey', id0), ...talk }, memory)
      const get = (id: string, byte: string) => tell('Get', id + key(byte.repeat(16)))
      const shown = { published: get(derived, '2b'), found: get(uid('b2'), '17') }
      expect(differences(shown, memory).length === 0).toBe(free)
    }
  })
})

describe('attributes', () => {
  const state = attribute('State', 'Enumeration', 'PreActive')
  const bits = attribute('Cryptographic Length', 'Integer', '256')
  const published = tell('GetAttributes', id0 + state + bits)
  const answer = (...attributes: string[]): string =>
    tell('GetAttributes', uid('a1') + attributes.join(''))

  test('may come in any order', () => {
    expect(differences({ published, found: answer(bits, state) })).toEqual([])
  })

  test('may be more than published when all were asked for, not when some were named', () => {
    const found = answer(state, bits, attribute('x-Note', 'TextString', 'more'))
    expect(differences({ request: ask('GetAttributes'), published, found })).toEqual([])
    const named = '<AttributeName type="TextString" value="State"/>'
    expect(differences({ request: ask('GetAttributes', named), published, found })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload: Attribute(x-Note) is not expected',
    ])
  })

  test('that are missing or differ are named', () => {
    const found = answer(attribute('State', 'Enumeration', 'Active'))
    expect(differences({ published, found })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload/Attribute(State)/AttributeValue: ' +
        'expected PreActive, found Active',
      'ResponseMessage/BatchItem[0]/ResponsePayload: Attribute(CryptographicLength) is missing',
    ])
  })

  test('keep the order of the instances of one attribute, and their number', () => {
    const one = attribute('x-Note', 'TextString', 'one')
    const two = attribute('x-Note', 'TextString', 'two', 1)
    const notes = tell('GetAttributes', id0 + one + two)
    expect(differences({ published: notes, found: answer(one, two) })).toEqual([])
    expect(differences({ published: notes, found: answer(two, one) })).not.toEqual([])
    expect(differences({ published: notes, found: answer(one) })).not.toEqual([])
    const three = answer(one, two, attribute('x-Note', 'TextString', 'three', 2))
    expect(differences({ published: notes, found: three })).not.toEqual([])
  })

  test('may show an Attribute Index of 0 from 1.1 on, and no other than published', () => {
    const note = tell('GetAttributes', id0 + attribute('x-Note', 'TextString', 'one'))
    const zero = answer(attribute('x-Note', 'TextString', 'one', 0))
    expect(differences({ published: note, found: zero })).toEqual([])
    expect(differences({ published: note, found: zero, spoken: '1.0' })).toHaveLength(1)
    const first = answer(attribute('x-Note', 'TextString', 'one', 1))
    expect(differences({ published: note, found: first })).toHaveLength(1)
  })

  test('of 2.x follow the same rules inside Attributes', () => {
    const note = (value: string): string => `<Attribute>
      <VendorIdentification type="TextString" value="x"/>
      <AttributeName type="TextString" value="Note"/>
      <AttributeValue type="TextString" value="${value}"/></Attribute>`
    const open = '<State type="Enumeration" value="PreActive"/>'
    const more = '<CryptographicLength type="Integer" value="256"/>'
    const inside = (...parts: string[]): string =>
      tell('GetAttributes', `${id0}<Attributes>${parts.join('')}</Attributes>`)
    const talk = { spoken: '2.1', published: inside(note('a'), open) }
    expect(differences({ ...talk, found: inside(open, more, note('a')) })).toEqual([])
    expect(differences({ ...talk, found: inside(open, note('b')) })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload/Attributes/Attribute(x-Note)/AttributeValue: ' +
        'expected "a", found "b"',
    ])
    const reference = '<AttributeReference type="Enumeration" value="State"/>'
    const named = { ...talk, request: ask('GetAttributes', reference) }
    expect(differences({ ...named, found: inside(open, more, note('a')) })).toHaveLength(1)
  })

  test('are listed in any order, with more than published', () => {
    const name = (text: string): string => `<AttributeName type="TextString" value="${text}"/>`
    const list = (...names: string[]): string =>
      tell('GetAttributeList', id0 + names.map(name).join(''))
    const talk = { published: list('Name', 'State') }
    expect(differences({ ...talk, found: list('State', 'Fresh', 'Name') })).toEqual([])
    expect(differences({ ...talk, found: list('State', 'Fresh') })).toEqual([
      'ResponseMessage/BatchItem[0]/ResponsePayload: AttributeName(Name) is missing',
    ])
  })
})
