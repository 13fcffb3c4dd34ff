// Where the PIN of a token comes from: given by a person, a file, systemd's credential, or a question; only a
// person counts as one who can judge whether to try.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { settle } from '../../src/config.ts'
import { Secret } from '../../src/crypto/secret.ts'
import { pinFrom, type MasterKeySources } from '../../src/keystore/master-key-choice.ts'
import { refusedPinFile, refusedPins } from '../../src/keystore/refused-pins.ts'
import { temporaryFolder } from './sample.ts'

const bytesOf = async (secret: Promise<Secret>) => Buffer.from((await secret).bytes).toString()

/** What `pinFrom` makes of these sources; a question is answered with what it says. */
function sourcesOf(parts: Partial<MasterKeySources>): MasterKeySources {
  return {
    environment: {},
    askPassphrase: () => Promise.reject(new Error('nobody asked for a passphrase')),
    askPin: (remark) => Promise.resolve(`typed${remark}`),
    ...parts,
  }
}

function pinFile(mode = 0o600): { folder: string; file: string } {
  const folder = temporaryFolder()
  const file = join(folder, 'keyreel-pin')
  writeFileSync(file, '4711\r\nsecond line\n', { mode })
  return { folder, file }
}

const config = (file?: string) =>
  settle({ flags: file === undefined ? {} : { 'pkcs11.pin-file': file }, environment: {} })

test('a file is read for its first line, and nobody attends', async () => {
  const { file } = pinFile()
  const pin = pinFrom(config(file), sourcesOf({}))
  expect([pin.attended, await bytesOf(pin.read(' remark'))]).toEqual([false, '4711'])
})

test("systemd's credential is read like a file", async () => {
  const { folder } = pinFile(0o644)
  const pin = pinFrom(config(), sourcesOf({ environment: { CREDENTIALS_DIRECTORY: folder } }))
  expect([pin.attended, await bytesOf(pin.read(''))]).toEqual([false, '4711'])
})

test('without either a person is asked, and told what the token says', async () => {
  const pin = pinFrom(config(), sourcesOf({}))
  const asked = await bytesOf(pin.read(' (the token says: one more wrong PIN locks it)'))
  expect(pin.attended).toBe(true)
  expect(asked).toBe('typed (the token says: one more wrong PIN locks it)')
})

test('what a person has just given counts before a file', async () => {
  const { file } = pinFile()
  const given = { pin: new Secret(Buffer.from('0815')) }
  const pin = pinFrom(config(file), sourcesOf({ given }))
  expect([pin.attended, await bytesOf(pin.read(''))]).toEqual([true, '0815'])
})

test('a file that others can read, or that is not there, is refused', async () => {
  const { file } = pinFile(0o644)
  await expect(pinFrom(config(file), sourcesOf({})).read('')).rejects.toMatchObject({
    code: 'pin-exposed',
    exitStatus: 11,
  })
  await expect(pinFrom(config('/nowhere/pin'), sourcesOf({})).read('')).rejects.toMatchObject({
    code: 'pin-unreadable',
    exitStatus: 11,
    hint: expect.stringContaining('--pkcs11-pin-file') as string,
  })
})

test('a PIN that was refused is remembered with its file until that changes, or the same is found right', () => {
  const { folder, file } = pinFile()
  const filed = refusedPins(folder, file, false)
  const given = refusedPins(folder, file, true)
  filed.noteRefused('token 1')
  expect([filed.wasRefused('token 1'), filed.wasRefused('token 2')]).toEqual([true, false])
  expect(given.wasRefused('token 1')).toBe(false)
  expect(readFileSync(join(folder, refusedPinFile), 'utf8')).not.toContain('4711')

  given.noteRefused('token 2')
  given.noteAccepted(new Secret(Buffer.from('0815')))
  expect(filed.wasRefused('token 1')).toBe(true)
  given.noteAccepted(new Secret(Buffer.from('4711')))
  expect(filed.wasRefused('token 1')).toBe(false)

  filed.noteRefused('token 1')
  writeFileSync(file, '4712\n')
  expect(filed.wasRefused('token 1')).toBe(false)
  refusedPins(join(folder, 'nowhere'), file, false).noteRefused('token 1')
  expect(existsSync(join(folder, 'nowhere'))).toBe(false)
})
