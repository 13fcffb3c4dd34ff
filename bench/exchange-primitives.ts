/** What exchanging keys cannot do without: the primitives alone, over the same keys and bytes. */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'

/** Every key wrapped and unwrapped, the file's bytes encrypted and decrypted, one signature. */
export function primitives(count: number, bytes: number): void {
  const kek = createSecretKey(randomBytes(32))
  const iv = Buffer.from('a65959a6', 'hex')
  const key = randomBytes(32)
  for (let n = 0; n < count; n += 1) {
    const cipher = createCipheriv('id-aes256-wrap-pad', kek, iv)
    const wrapped = Buffer.concat([cipher.update(key), cipher.final()])
    const decipher = createDecipheriv('id-aes256-wrap-pad', kek, iv)
    decipher.update(wrapped)
    decipher.final()
  }
  const nonce = randomBytes(12)
  const gcm = createCipheriv('aes-256-gcm', key, nonce)
  const encrypted = gcm.update(Buffer.alloc(bytes))
  gcm.final()
  const open = createDecipheriv('aes-256-gcm', key, nonce)
  open.setAuthTag(gcm.getAuthTag())
  open.update(encrypted)
  open.final()
  sign('sha384', encrypted, generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)
}
