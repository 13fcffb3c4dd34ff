/**
 * RC2 in CBC mode (RFC 2268), decryption only. The crypto library has lost it, and older PKCS#12
 * files hold their certificates under it. It protects nothing.
 */

const piTable = Uint8Array.from(
  Buffer.from(
    'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2' +
      '179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82' +
      '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
      '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7' +
      '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec' +
      'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
      '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9' +
      '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
    'hex',
  ),
)

const block = 8

/** Decrypts and takes PKCS#5 padding off. Throws an `Error` when the padding is none. */
export function decryptRc2(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (ciphertext.length === 0 || ciphertext.length % block !== 0) throw new Error('no whole blocks')
  const words = expandedKey(key)
  const plain = new Uint8Array(ciphertext.length)
  let previous = iv
  for (let start = 0; start < ciphertext.length; start += block) {
    const encrypted = ciphertext.subarray(start, start + block)
    const decrypted = decryptBlock(words, encrypted)
    for (let i = 0; i < block; i++) plain[start + i] = decrypted[i]! ^ previous[i]!
    previous = encrypted
  }
  const count = plain.at(-1)!
  const padding = plain.subarray(-count)
  if (count < 1 || count > block || padding.some((byte) => byte !== count))
    throw new Error('no padding')
  return plain.subarray(0, plain.length - count)
}

/** RFC 2268 §2, with as many effective bits as the key has. */
function expandedKey(key: Uint8Array): Uint16Array {
  const bytes = new Uint8Array(128)
  bytes.set(key)
  const length = key.length
  for (let i = length; i < 128; i++) {
    bytes[i] = piTable[(bytes[i - 1]! + bytes[i - length]!) & 0xff]!
  }
  bytes[128 - length] = piTable[bytes[128 - length]!]!
  for (let i = 127 - length; i >= 0; i--) bytes[i] = piTable[bytes[i + 1]! ^ bytes[i + length]!]!
  return Uint16Array.from({ length: 64 }, (_, i) => bytes[2 * i]! | (bytes[2 * i + 1]! << 8))
}

/** RFC 2268 §4: five, six and five rounds of reverse mixing with a reverse mash between. */
function decryptBlock(key: Uint16Array, encrypted: Uint8Array): Uint8Array {
  const view = new DataView(encrypted.buffer, encrypted.byteOffset, block)
  const r = Uint16Array.from({ length: 4 }, (_, i) => view.getUint16(2 * i, true))
  const rotations = [1, 2, 3, 5]
  for (let round = 15; round >= 0; round--) {
    for (let i = 3; i >= 0; i--) {
      const [one, two, three] = [r[(i + 3) & 3]!, r[(i + 2) & 3]!, r[(i + 1) & 3]!]
      const turned = (r[i]! >>> rotations[i]!) | (r[i]! << (16 - rotations[i]!))
      r[i] = turned - key[4 * round + i]! - (one & two) - (~one & three)
    }
    if (round === 11 || round === 5)
      for (let i = 3; i >= 0; i--) r[i] = r[i]! - key[r[(i + 3) & 3]! & 63]!
  }
  return new Uint8Array(r.buffer)
}
