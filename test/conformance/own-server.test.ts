// What the cases tell about their set-up: the users they need, and the form they travel in.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCases } from './case-files.ts'
import { formOf } from './conform.ts'
import { usersOf } from './own-server.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyreel-set-up-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

function by(username: string, password: string): string {
  return `<RequestMessage><RequestHeader><Authentication><Credential>
    <CredentialType type="Enumeration" value="UsernameAndPassword"/><CredentialValue>
    <Username type="TextString" value="${username}"/>
    <Password type="TextString" value="${password}"/>
    </CredentialValue></Credential></Authentication></RequestHeader></RequestMessage>
    <ResponseMessage></ResponseMessage>`
}

test('the users of a case with several see only their own objects, a lone one those of its group', async () => {
  await writeFile(join(folder, 'A-1-12.xml'), by('fred', 'one') + by('barney', 'two'))
  await writeFile(join(folder, 'B-1-14.xml'), by('wilma', 'three') + by('wilma', 'three'))
  await writeFile(join(folder, 'C-1-14.xml'), by('fred', 'one'))
  expect(await usersOf(await findCases([folder]))).toEqual([
    { username: 'fred', password: 'one', ownerOnly: true },
    { username: 'barney', password: 'two', ownerOnly: true },
    { username: 'wilma', password: 'three', ownerOnly: false },
  ])
})

test('message encoding cases travel in the form they are about, the others over TLS', async () => {
  const names = ['MSGENC-HTTPS-1-10', 'MSGENC-XML-M-1-14', 'MSGENC-JSON-M-1-21', 'TL-M-1-14']
  for (const name of names) await writeFile(join(folder, `${name}.xml`), by('x', 'y'))
  const cases = await findCases([folder])
  expect(cases.map((file) => [file.name, formOf(file)])).toEqual([
    ['MSGENC-HTTPS-1-10', 'https'],
    ['MSGENC-XML-M-1-14', 'xml'],
    ['TL-M-1-14', 'tls'],
    ['MSGENC-JSON-M-1-21', 'json'],
  ])
})
