/** What ciphers must give, from the documents that define them. */
import type { CipherRequest } from '../../src/crypto/ciphers.ts'
import type { CryptographicParameters } from '../../src/crypto/parameters.ts'

/** Bytes in hexadecimal; AES unless another algorithm is named. */
export interface CipherVector {
  name: string
  algorithm?: CipherRequest['algorithm']
  parameters: CryptographicParameters
  key: string
  iv?: string
  aad?: string
  plain: string
  cipher: string
  tag?: string
}

const nistKey = '2b7e151628aed2a6abf7158809cf4f3c'
const nistIv = '000102030405060708090a0b0c0d0e0f'
const nistPlain = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51'
const sunscreen = Buffer.from(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
).toString('hex')

/** One row per mode that the modules have. */
export const vectors: CipherVector[] = [
  {
    name: 'AES-128 ECB, SP 800-38A F.1.1',
    parameters: { BlockCipherMode: 'ECB' },
    key: nistKey,
    plain: nistPlain,
    cipher: '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf',
  },
  {
    name: 'AES-128 CBC, SP 800-38A F.2.1',
    parameters: { BlockCipherMode: 'CBC', PaddingMethod: 'None' },
    key: nistKey,
    iv: nistIv,
    plain: nistPlain,
    cipher: '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2',
  },
  {
    name: 'AES-128 CFB, SP 800-38A F.3.13',
    parameters: { BlockCipherMode: 'CFB' },
    key: nistKey,
    iv: nistIv,
    plain: nistPlain,
    cipher: '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b',
  },
  {
    name: 'AES-128 OFB, SP 800-38A F.4.1',
    parameters: { BlockCipherMode: 'OFB' },
    key: nistKey,
    iv: nistIv,
    plain: nistPlain,
    cipher: '3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825',
  },
  {
    name: 'AES-128 CTR, SP 800-38A F.5.1',
    parameters: { BlockCipherMode: 'CTR' },
    key: nistKey,
    iv: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    plain: nistPlain,
    cipher: '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff',
  },
  {
    name: 'AES-128 CTR with a counter of 32 bits from 1, RFC 3686 vector 1',
    parameters: { BlockCipherMode: 'CTR', CounterLength: 32, InitialCounterValue: 1 },
    key: 'ae6852f8121067cc4bf7a5765577f39e',
    iv: '000000300000000000000000',
    plain: Buffer.from('Single block msg').toString('hex'),
    cipher: 'e4095d4fb7a7b3792d6175a3261311b8',
  },
  {
    name: 'AES-128 CCM, SP 800-38C example 1',
    parameters: { BlockCipherMode: 'CCM', TagLength: 4 },
    key: '404142434445464748494a4b4c4d4e4f',
    iv: '10111213141516',
    aad: '0001020304050607',
    plain: '20212223',
    cipher: '7162015b',
    tag: '4dac255d',
  },
  {
    name: 'AES-128 XTS, IEEE 1619 vector 2',
    parameters: { BlockCipherMode: 'XTS' },
    key: '11'.repeat(16) + '22'.repeat(16),
    iv: '33333333330000000000000000000000',
    plain: '44'.repeat(32),
    cipher: 'c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0',
  },
  {
    name: 'AES key wrap, RFC 3394 §4.1',
    parameters: { BlockCipherMode: 'NISTKeyWrap' },
    key: nistIv,
    plain: '00112233445566778899aabbccddeeff',
    cipher: '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5',
  },
  {
    name: 'AES key wrap with padding, RFC 5649 §6',
    parameters: { BlockCipherMode: 'AESKeyWrapPadding' },
    key: '5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8',
    plain: 'c37b7e6492584340bed12207808941155068f738',
    cipher: '138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a',
  },
  {
    name: 'ChaCha20, RFC 8439 §2.4.2',
    algorithm: 'ChaCha20',
    parameters: { InitialCounterValue: 1 },
    key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    iv: '000000000000004a00000000',
    plain: sunscreen,
    cipher:
      '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42874d',
  },
  {
    name: 'ChaCha20 with counter and nonce in one block',
    algorithm: 'ChaCha20',
    parameters: {},
    key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    iv: '01000000000000000000004a00000000',
    plain: sunscreen.slice(0, 32),
    cipher: '6e2e359a2568f98041ba0728dd0d6981',
  },
  {
    name: 'ChaCha20-Poly1305, RFC 8439 §2.8.2',
    algorithm: 'ChaCha20Poly1305',
    parameters: { BlockCipherMode: 'AEAD' },
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    iv: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plain: sunscreen,
    cipher:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
    tag: '1ae10b594f09e26a7e902ecbd0600691',
  },
  {
    name: '3DES with two keys, K1, K2, K1, as openssl des-ede',
    algorithm: 'DES3',
    parameters: { BlockCipherMode: 'ECB' },
    key: '0123456789abcdeffedcba9876543210',
    plain: '4e6f772069732074',
    cipher: 'd80a0d8b2bae5e4e',
  },
]
