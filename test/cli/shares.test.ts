// Files with recovery shares, as people save them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { shareIn } from '../../src/cli/shares.ts'
import { Secret } from '../../src/crypto/secret.ts'
import { shareLines } from '../../src/keystore/recovery-share.ts'

const share = {
  key: '0123456789abcdef',
  threshold: 2,
  number: 1,
  value: new Secret(Buffer.alloc(32, 7)),
}
const lines = shareLines(share)

/** What is read out of a file with that content. */
function read(content: Uint8Array | string) {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-share-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'share.txt')
  writeFileSync(file, content)
  const { key, threshold, number, value } = shareIn(file)
  return { key, threshold, number, value: Buffer.from(value.bytes).toString('hex') }
}

const text = lines.join('\n')

test.each<[string, Uint8Array | string]>([
  ['without numbers', text],
  ['without numbers and blanks, with a line break at its end', `${text.replaceAll(' ', '')}\n`],
  ['with numbers', lines.map((line, at) => `${at + 1}. ${line}`).join('\r\n')],
  ['with a byte order mark', `\u{feff}${text}`],
])('a share %s is read', (_, content) => {
  expect(lines[0]).toMatch(/^0/)
  expect(read(content)).toMatchObject({ key: share.key, number: 1, value: '07'.repeat(32) })
})

test('one in UTF-16 is refused as such, and other bytes too', () => {
  const wide = Buffer.from(`\u{feff}${text}`, 'utf16le')
  const wrong = { code: 'share-not-text' }
  expect(() => read(wide)).toThrow(
    expect.objectContaining({ ...wrong, message: expect.stringContaining('but UTF-16') as string }),
  )
  expect(() => read(Buffer.from(wide).swap16())).toThrow(expect.objectContaining(wrong))
  expect(() => read(Buffer.from(text, 'utf16le'))).toThrow(expect.objectContaining(wrong))
})

test('one that is encrypted is told from one in letters', () => {
  const letter = Buffer.from([0x30, 3, 2, 1, 5])
  expect(() => read(letter)).toThrow(expect.objectContaining({ code: 'share-encrypted' }))
})
