import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decrypt, encrypt, openCipher, type CipherRequest } from '../../src/crypto/ciphers.ts'
import type { CryptoRefusal } from '../../src/crypto/crypto-refusal.ts'
import { privateKeyDer } from '../../src/crypto/key-pairs.ts'
import type { CryptographicParameters } from '../../src/crypto/parameters.ts'
import { opensslDirectory } from './openssl.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const message = Uint8Array.from({ length: 28 }, (_, index) => index * 9)
const label = Buffer.from('Kilroy was here')

const by = (
  key: CipherRequest['key'],
  parameters: CryptographicParameters,
  data: Uint8Array = message,
) => ({ key, algorithm: 'RSA' as const, parameters, data })

function codeOf(act: () => unknown) {
  try {
    act()
  } catch (error) {
    return (error as CryptoRefusal).code
  }
  return undefined
}

const forms: CryptographicParameters[] = [
  { PaddingMethod: 'PKCS1V1_5' },
  { PaddingMethod: 'OAEP' },
  { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' },
  {
    PaddingMethod: 'OAEP',
    HashingAlgorithm: 'SHA_256',
    MaskGeneratorHashingAlgorithm: 'SHA_256',
    PSource: label,
  },
  {
    PaddingMethod: 'OAEP',
    HashingAlgorithm: 'SHA_384',
    MaskGenerator: 'MGF1',
    MaskGeneratorHashingAlgorithm: 'SHA_256',
    PSource: label,
  },
]

test.each(forms)('%j goes there and back, at once and in parts', (parameters) => {
  const { data, ...rest } = encrypt(by(publicKey, parameters))
  expect(rest).toEqual({})
  expect(Uint8Array.from(decrypt(by(privateKey, parameters, data)))).toEqual(message)
  const stream = openCipher('decrypt', by(privateKey, parameters))
  expect(stream.update(data.subarray(0, 100))).toHaveLength(0)
  expect(Uint8Array.from(stream.final(data.subarray(100)).data)).toEqual(message)
})

test.each(forms)('%j is the same for openssl, both ways', (parameters) => {
  const openssl = opensslDirectory()
  const { HashingAlgorithm: hash = 'SHA_1', MaskGeneratorHashingAlgorithm: mask = 'SHA_1' } =
    parameters
  const name = (algorithm: string | number) => String(algorithm).replace('_', '').toLowerCase()
  const oaep = [
    'rsa_padding_mode:oaep',
    `rsa_oaep_md:${name(hash)}`,
    `rsa_mgf1_md:${name(mask)}`,
    ...(parameters.PSource ? [`rsa_oaep_label:${label.toString('hex')}`] : []),
  ]
  const padding = parameters.PaddingMethod === 'OAEP' ? oaep : ['rsa_padding_mode:pkcs1']
  const options = padding.flatMap((option) => ['-pkeyopt', option])
  const run = (action: string, from: string, to: string) =>
    openssl.run('pkeyutl', action, '-inkey', 'key.der', '-in', from, '-out', to, ...options)
  openssl.write('key.der', privateKeyDer(privateKey))
  openssl.write('message', message)
  openssl.write('ours', encrypt(by(publicKey, parameters)).data)
  run('-decrypt', 'ours', 'back')
  expect(Uint8Array.from(readFileSync(openssl.path('back')))).toEqual(message)
  run('-encrypt', 'message', 'theirs')
  const theirs = readFileSync(openssl.path('theirs'))
  expect(Uint8Array.from(decrypt(by(privateKey, parameters, theirs)))).toEqual(message)
})

test('OAEP of other bytes, another label or another hash is a failure', () => {
  const parameters = forms[4]!
  const { data } = encrypt(by(publicKey, parameters))
  const changed = data.map((byte, index) => (index === 99 ? byte ^ 1 : byte))
  for (const [wrong, bytes] of [
    [parameters, changed],
    [parameters, data.subarray(1)],
    [{ ...parameters, PSource: Buffer.from('someone else') }, data],
    [{ ...parameters, HashingAlgorithm: 'SHA_512' }, data],
    [{ ...parameters, MaskGeneratorHashingAlgorithm: 'SHA_384' }, data],
  ] as [CryptographicParameters, Uint8Array][])
    expect(codeOf(() => decrypt(by(privateKey, wrong, bytes)))).toBe('failure')
})

test('a message fits up to the capacity of its padding', () => {
  for (const parameters of forms) {
    const hashes = { SHA_256: 32, SHA_384: 48, SHA_1: 20 } as Record<string, number>
    const hash = hashes[parameters.HashingAlgorithm ?? 'SHA_1']!
    const capacity = parameters.PaddingMethod === 'OAEP' ? 256 - 2 * hash - 2 : 245
    for (const length of [0, capacity]) {
      const { data } = encrypt(by(publicKey, parameters, message.slice(0, 0)))
      expect(decrypt(by(privateKey, parameters, data))).toHaveLength(0)
      const long = encrypt(by(publicKey, parameters, new Uint8Array(length)))
      expect(decrypt(by(privateKey, parameters, long.data))).toHaveLength(length)
    }
    const more = new Uint8Array(capacity + 1)
    expect(codeOf(() => encrypt(by(publicKey, parameters, more)))).toBe('parameters')
  }
})

test('a wrong PKCS#1 v1.5 padding is not told apart from a right one', () => {
  const garbage = Uint8Array.from({ length: 256 }, (_, index) => index >> 1)
  const parameters = { PaddingMethod: 'PKCS1V1_5' } as const
  const first = decrypt(by(privateKey, parameters, garbage))
  expect(decrypt(by(privateKey, parameters, garbage))).toEqual(first)
})

test('without padding RSA encrypts whole moduli, and never decrypts', () => {
  const none = { PaddingMethod: 'None' } as const
  expect(encrypt(by(publicKey, none, new Uint8Array(256).fill(1))).data).toHaveLength(256)
  expect(codeOf(() => encrypt(by(publicKey, none)))).toBe('parameters')
  const tooLarge = new Uint8Array(256).fill(255)
  expect(codeOf(() => encrypt(by(publicKey, none, tooLarge)))).toBe('failure')
  expect(codeOf(() => decrypt(by(privateKey, none, new Uint8Array(256))))).toBe('unsupported')
})

test('wrong keys and parameters are refused before anything is done', () => {
  const oaep = { PaddingMethod: 'OAEP' } as const
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const wide = { ...oaep, HashingAlgorithm: 'SHA_512' } as const
  const refused: [() => unknown, string][] = [
    [() => encrypt(by(privateKey, oaep)), 'parameters'],
    [() => decrypt(by(publicKey, oaep)), 'parameters'],
    [() => encrypt(by(elliptic.publicKey, oaep)), 'parameters'],
    [() => encrypt(by(publicKey, {})), 'parameters'],
    [() => encrypt(by(publicKey, { PaddingMethod: 'PSS' })), 'unsupported'],
    [() => encrypt(by(publicKey, { ...oaep, MaskGenerator: 9 })), 'unsupported'],
    [() => encrypt(by(publicKey, { ...oaep, HashingAlgorithm: 'MD2' })), 'unsupported'],
    [() => encrypt(by(short.publicKey, wide)), 'parameters'],
  ]
  for (const [act, code] of refused) expect(codeOf(act)).toBe(code)
})
