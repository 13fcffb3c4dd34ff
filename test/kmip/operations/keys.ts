// Keys of known material for tests of the operations that use them.
import { generateKeyPairSync } from 'node:crypto'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { CryptographicUsageMask } from '../../../src/kmip/model/masks.ts'
import { started, type TestEngine } from './engine.ts'

/** Versions that have Encrypt and its like. */
export const cipherVersions: VersionText[] = ['1.2', '1.3', '1.4', '2.0', '2.1']

/** Versions that have operations in parts. */
export const streamVersions: VersionText[] = ['1.3', '1.4', '2.0', '2.1']

export const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('hex')
export const bytes = (digits: string): Uint8Array =>
  Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex'))

type Bit = keyof typeof CryptographicUsageMask.bits

/** Cryptographic Usage Mask with these bits. */
export const usage = (...bits: Bit[]): AttributeInstance => ({
  tag: 'CryptographicUsageMask',
  value: bits.reduce((mask, bit) => mask | CryptographicUsageMask.bits[bit], 0),
})

/** Has been Active for an hour. */
export const active: AttributeInstance = { tag: 'ActivationDate', value: started - 3600n }

/** Registers a symmetric key of that material and answers its identifier. */
export async function symmetric(
  engine: TestEngine,
  as: VersionText,
  material: string,
  Attributes: AttributeInstance[],
  CryptographicAlgorithm = 'AES',
): Promise<string> {
  const KeyMaterial = bytes(material)
  const SymmetricKey = {
    KeyBlock: {
      KeyFormatType: 'Raw',
      KeyValue: { type: 'Structure', value: { KeyMaterial } },
      CryptographicAlgorithm,
      CryptographicLength: CryptographicAlgorithm === 'DES3' ? 168 : KeyMaterial.length * 8,
    },
  }
  const request = { ObjectType: 'SymmetricKey', Attributes, SymmetricKey }
  return (await engine.call(as, 'Register', request as never)).UniqueIdentifier
}

/** Registers secret data of that material. */
export async function secretData(
  engine: TestEngine,
  as: VersionText,
  material: string,
  Attributes: AttributeInstance[],
): Promise<string> {
  const SecretData = {
    SecretDataType: 'Seed',
    KeyBlock: {
      KeyFormatType: 'Opaque',
      KeyValue: { type: 'Structure', value: { KeyMaterial: bytes(material) } },
    },
  }
  const request = { ObjectType: 'SecretData', Attributes, SecretData }
  return (await engine.call(as, 'Register', request as never)).UniqueIdentifier
}

/** Both halves of a new pair, registered; usage and parameters as given. */
export async function pair(
  engine: TestEngine,
  as: VersionText,
  type: 'rsa' | 'P-256' | 'ed25519',
  uses: { private: AttributeInstance[]; public: AttributeInstance[] },
  always: AttributeInstance[] = [active],
): Promise<{ privateId: string; publicId: string }> {
  const make = {
    rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ed25519: () => generateKeyPairSync('ed25519'),
  }
  const keys = make[type]()
  const algorithm = { rsa: 'RSA', 'P-256': 'EC', ed25519: 'Ed25519' }[type]
  const length = type === 'rsa' ? 2048 : 256
  const block = (KeyFormatType: string, KeyMaterial: Uint8Array) => ({
    KeyBlock: {
      KeyFormatType,
      KeyValue: { type: 'Structure', value: { KeyMaterial } },
      CryptographicAlgorithm: algorithm,
      CryptographicLength: length,
    },
  })
  const register = async (ObjectType: string, object: object, Attributes: AttributeInstance[]) =>
    (
      await engine.call(as, 'Register', {
        ObjectType,
        Attributes: [...Attributes, ...always],
        [ObjectType]: object,
      } as never)
    ).UniqueIdentifier
  const info = keys.privateKey.export({ format: 'der', type: 'pkcs8' })
  const spki = keys.publicKey.export({ format: 'der', type: 'spki' })
  return {
    privateId: await register('PrivateKey', block('PKCS_8', info), uses.private),
    publicId: await register('PublicKey', block('X_509', spki), uses.public),
  }
}
