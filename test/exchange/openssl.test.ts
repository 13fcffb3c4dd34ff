// Bundles for sites that have no keyreel: openssl opens them, and a stranger finds the keys by the page
// docs/reference/bundles.md alone.
import { execFileSync } from 'node:child_process'
import { createDecipheriv } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { decodeItem, type Item } from 'ttlv-codec'
import { readOffered } from '../../src/exchange/peer-certificates.ts'
import { trustPeer } from '../../src/exchange/peers.ts'
import { newSite } from './site.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyreel-stranger-'))
afterAll(() => rmSync(folder, { recursive: true }))
const openssl = (words: string) =>
  execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'pipe' })

/** Every item below with that tag. */
function found(item: Item, tag: number): Item[] {
  const below = item.type === 'Structure' ? item.value.flatMap((one) => found(one, tag)) : []
  return item.tag === tag ? [item, ...below] : below
}

const bytesOf = (item: Item | undefined) => item?.value as Uint8Array
const limits = { maxBytes: Infinity, maxItems: Infinity }

describe.each([
  ['RSA-3072', '-algorithm RSA -pkeyopt rsa_keygen_bits:3072', 'rsa'],
  ['P-384', '-algorithm EC -pkeyopt ec_paramgen_curve:P-384', 'ec'],
] as const)('a bundle for a certificate with %s by openssl', (_, key, mode) => {
  test('is verified and decrypted by openssl, and its keys unwrap', async () => {
    openssl(`genpkey ${key} -out key.pem`)
    openssl('req -x509 -new -key key.pem -subj /CN=elsewhere -days 365 -out cert.pem')
    const site = await newSite()
    const id = await site.key({ barcode: 'KR0042L8' })
    const pem = readFileSync(join(folder, 'cert.pem'))
    const offered = readOffered(pem, 'cert.pem', site.time.seconds)
    await trustPeer(site.store, 'X', offered, { confirmed: 'fingerprint', replace: false })
    const { file, report } = await site.export({ peer: 'X' })
    expect(report.mode).toBe(mode)

    openssl(`cms -verify -noverify -inform DER -in ${file} -out inner.der`)
    openssl('cms -decrypt -inform DER -in inner.der -recip cert.pem -inkey key.pem -out content')
    const bundle = decodeItem(readFileSync(join(folder, 'content')), limits)
    const [transport] = found(bundle, 0x54b00d)
    const [part] = found(bundle, 0x54b013)
    const message = decodeItem(bytesOf(part), limits)
    const [wrapped] = found(message, 0x420045)
    const unwrap = createDecipheriv(
      'id-aes256-wrap-pad',
      bytesOf(transport),
      Buffer.from('a65959a6', 'hex'),
    )
    const plain = Buffer.concat([unwrap.update(bytesOf(wrapped)), unwrap.final()])
    expect(plain.toString('hex')).toBe(await site.bytesOf(id))
    const texts = JSON.stringify(message, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    expect(texts).toContain('KR0042L8')
    expect(texts).toContain(id)
    expect(readFileSync(file).includes('KR0042L8')).toBe(false)
  }, 60_000)
})
