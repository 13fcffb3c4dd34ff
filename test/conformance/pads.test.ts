// The pads that cases presuppose, and what their published answers say of the material.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCases } from './case-files.ts'
import { padOf } from './pads.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyreel-pads-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const locate = (name: string): string => `<RequestMessage><BatchItem>
  <Operation type="Enumeration" value="Locate"/><RequestPayload><Attribute><AttributeValue>
  <NameValue type="TextString" value="${name}"/></AttributeValue></Attribute></RequestPayload>
  </BatchItem></RequestMessage><ResponseMessage></ResponseMessage>`

const use = (
  operation: string,
  data: string,
  result: string,
): string => `<RequestMessage><BatchItem>
  <Operation type="Enumeration" value="${operation}"/><RequestPayload>
  <Data type="ByteString" value="${data}"/></RequestPayload></BatchItem></RequestMessage>
  <ResponseMessage><BatchItem><ResponsePayload><Data type="ByteString" value="${result}"/>
  </ResponsePayload></BatchItem></ResponseMessage>`

async function padIn(...exchanges: string[]) {
  await writeFile(join(folder, 'A-1-14.xml'), `<KMIP>${exchanges.join('')}</KMIP>`)
  const [file] = await findCases([folder])
  const pad = await padOf(file!)
  return pad && [pad.name, Buffer.from(pad.implied).toString('hex')]
}

test.each(['Encrypt', 'Decrypt'])('what %s shows is data and pad in one', async (operation) => {
  const found = await padIn(locate('one-time-pad-1'), use(operation, '0102', 'fd91'))
  expect(found).toEqual(['one-time-pad-1', 'fc93'])
})

test('each Encrypt goes on in the pad, and after a placeholder nothing is known', async () => {
  const found = await padIn(
    locate('one-time-pad-2'),
    use('Encrypt', '00', 'aa'),
    use('Encrypt', '01', 'ba'),
    use('Encrypt', '00', '$DATA_0'),
    use('Encrypt', '00', 'cc'),
  )
  expect(found).toEqual(['one-time-pad-2', 'aabb'])
})

test('a case that looks for no pad needs none', async () => {
  expect(await padIn(locate('key-1'), use('Encrypt', '00', 'aa'))).toBeUndefined()
})
