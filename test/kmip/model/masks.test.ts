import { describe, expect, it } from 'vitest'
import { version } from 'ttlv-codec'
import * as masks from '../../../src/kmip/model/masks.ts'
import { versions } from '../../../src/kmip/model/versions.ts'

const { CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask } = masks

describe('masks', () => {
  it('have the bits of the specification', () => {
    expect(CryptographicUsageMask.bits).toMatchObject({
      Sign: 0x1,
      Verify: 0x2,
      Encrypt: 0x4,
      Decrypt: 0x8,
      WrapKey: 0x10,
      UnwrapKey: 0x20,
      Export: 0x40,
      MACGenerate: 0x80,
      MACVerify: 0x100,
      DeriveKey: 0x200,
      ContentCommitment: 0x400,
      KeyAgreement: 0x800,
      CertificateSign: 0x1000,
      CRLSign: 0x2000,
      TranslateUnwrap: 0x80000,
      Authenticate: 0x100000,
      FPEDecrypt: 0x800000,
    })
    expect(StorageStatusMask.bits).toEqual({
      OnLineStorage: 1,
      ArchivalStorage: 2,
      DestroyedStorage: 4,
    })
    expect(ProtectionStorageMask.bits).toMatchObject({
      Software: 1,
      Hardware: 2,
      SameJurisdiction: 0x2000,
    })
  })

  it('are as many per version as specified', () => {
    const counts = (mask: { names(number: number): readonly unknown[] }) =>
      versions.map(({ number }) => mask.names(number).length)
    expect(counts(CryptographicUsageMask)).toEqual([20, 20, 20, 20, 20, 16, 16])
    expect(counts(StorageStatusMask)).toEqual([2, 2, 2, 2, 2, 3, 3])
    expect(counts(ProtectionStorageMask)).toEqual([0, 0, 0, 0, 0, 14, 14])
  })

  it('use each bit once, and only one bit for a name', () => {
    for (const { bits } of Object.values(masks)) {
      const values = Object.values(bits)
      expect(new Set(values).size).toBe(values.length)
      for (const value of values) expect(value & (value - 1)).toBe(0)
    }
  })

  it('tell destroyed storage to 2.x alone', () => {
    expect(StorageStatusMask.since('DestroyedStorage')).toBe(version('2.0'))
  })
})
