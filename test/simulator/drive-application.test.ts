// Keys from the host's software: Set Data Encryption, the modes, the status pages and the senses.

import { describe, expect, test } from 'vitest'

import { flipBit } from '../../simulator/cartridge-damage.ts'
import { BlockCipher, drawRandom } from '../../simulator/drive-cipher.ts'
import type { Drive } from '../../simulator/drive.ts'
import {
  descriptorBytes,
  descriptorsOf,
  type KadDescriptor,
} from '../../simulator/security-protocol-page.ts'
import {
  encryptionOff,
  setDataEncryption,
  type SetDataEncryption,
} from '../../simulator/security-protocol-pages.ts'
import { encodeCommand } from '../../simulator/security-protocol.ts'
import {
  blankCartridge,
  blockOf,
  bothWays,
  hex,
  hostDrive,
  kadOfText,
  keyNumber,
  KeyShelf,
  libraryDrive,
  mixedTape,
  mixedTapeKad,
  nextBlock,
  outCommand,
  readBlocks,
  sendOut,
  setByHost,
  status,
  withCartridge,
} from './fixtures.ts'

describe('reading', () => {
  test('with decryption off gives clear blocks and 7/74/01 for encrypted ones', async () => {
    const { drive } = await mixedTape()
    setByHost(drive, {})
    expect(await drive.read()).toEqual({ kind: 'block', data: blockOf(100, 0), encrypted: false })
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/01' })
    expect(drive.position).toBe(1)
    await drive.unload()
  })

  test('in decrypt mode opens encrypted blocks and refuses clear ones with 7/74/02', async () => {
    const { drive } = await mixedTape()
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/02' })
    expect(drive.position).toBe(0)
    await drive.locate(1)
    expect(await readBlocks(drive)).toEqual([blockOf(100, 1), blockOf(100, 2)])
    await drive.unload()
  })

  test('in mixed mode gives both', async () => {
    const { drive } = await mixedTape()
    setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(1) })
    expect(await readBlocks(drive)).toEqual([0, 1, 2].map((n) => blockOf(100, n)))
    await drive.unload()
  })

  test('in raw mode gives what lies on tape, 48 bytes longer under a 12-byte A-KAD', async () => {
    const kads = descriptorsOf(kadOfText('', 'TWELVE BYTES'))
    const { drive } = await mixedTape({ rawRead: 'allowed', kads })
    setByHost(drive, { decryptionMode: 'raw' })
    expect(await drive.read()).toMatchObject({ data: blockOf(100, 0) })
    const raw = await drive.read()
    expect(raw.kind === 'block' && raw.data.length).toBe(148)
    const start = hex(`${new TextEncoder().encode('TWELVE BYTES').toHex()} 00000001`)
    expect(raw.kind === 'block' && raw.data.subarray(0, 16)).toEqual(start)
    await drive.unload()
  })

  test.each(['default', 'forbidden'] as const)(
    'in raw mode is 7/74/0A for blocks written with raw reading %s',
    async (rawRead) => {
      const { drive } = await mixedTape({ rawRead })
      setByHost(drive, { decryptionMode: 'raw' })
      await drive.locate(1)
      await expect(drive.read()).rejects.toMatchObject({ code: '7/74/0A' })
      await drive.unload()
    },
  )

  test.each([
    ['external', 0],
    ['external', 1],
    ['encrypt', 0],
  ] as const)('checking for %s mode is 7/74/09 at block %i', async (modeCheck, n) => {
    const { drive } = await mixedTape()
    setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(1), modeCheck })
    await drive.locate(n)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/09' })
    await drive.unload()
  })

  test('checking for encrypt mode reads encrypted blocks', async () => {
    const { drive } = await mixedTape()
    setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(1), modeCheck: 'encrypt' })
    await drive.locate(1)
    expect(await readBlocks(drive)).toHaveLength(2)
    await drive.unload()
  })

  test('under one key into blocks of another is 7/74/05', async () => {
    const { drive } = await mixedTape()
    const other = descriptorsOf(kadOfText('', 'KEY-2'))
    await drive.spaceToEndOfData()
    setByHost(drive, bothWays(keyNumber(2), other))
    await drive.write(blockOf(100, 3))
    setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(1) })
    await drive.locate(2)
    expect(await drive.read()).toMatchObject({ data: blockOf(100, 2) })
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/05' })
    expect(drive.position).toBe(3)
    await drive.unload()
  })

  test('a block moved to another place fails its tag', async () => {
    const { drive } = await mixedTape({ rawRead: 'allowed' })
    const cipher = new BlockCipher(keyNumber(1), drawRandom)
    const sealed = cipher.encrypt(blockOf(100, 1), mixedTapeKad.akad, 1)
    const block = {
      kind: 'encrypted',
      external: false,
      rawReadAllowed: true,
      kadFormat: 'binary',
      ...mixedTapeKad,
      ...sealed,
    } as const
    expect(cipher.decrypt(block, 1)).toEqual(blockOf(100, 1))
    expect(cipher.decrypt(block, 2)).toBeUndefined()
    await drive.unload()
  })

  test.each([
    ['A-KAD', 'akad', '7/74/04'],
    ['tag', 'tag', '7/74/04'],
    ['key check', 'keyCheck', '7/74/03'],
  ] as const)('a block whose %s was altered is refused', async (_, part, code) => {
    const { drive, cartridge } = await mixedTape()
    await flipBit(cartridge, 1, part)
    await drive.locate(1)
    await expect(drive.read()).rejects.toMatchObject({ code })
    await drive.unload()
  })

  test('a block whose U-KAD was altered still opens: nothing covers it', async () => {
    const { drive, cartridge } = await mixedTape()
    await flipBit(cartridge, 1, 'ukad')
    await drive.locate(1)
    expect(await drive.read()).toMatchObject({ data: blockOf(100, 1) })
    await drive.unload()
  })
})

describe('wrong keys', () => {
  test('are 7/74/03, count once each, and ten in a row lock reading, writing and setting', async () => {
    const { drive, cartridge } = await mixedTape()
    await drive.locate(1)
    for (let n = 0; n < 10; n += 1) {
      setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(100 + n) })
      await expect(drive.read()).rejects.toMatchObject({ code: '7/74/03' })
      if (n < 9) await expect(drive.read()).rejects.toMatchObject({ code: '7/74/03' })
    }
    await expect(drive.read()).rejects.toMatchObject({ code: '7/26/10' })
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/26/10' })
    expect(() => setByHost(drive, bothWays(keyNumber(1)))).toThrow(
      expect.objectContaining({ code: '7/26/10' }),
    )
    expect(() => setByHost(drive, {})).not.toThrow()

    await drive.unload()
    await drive.load(cartridge)
    setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(1) })
    expect(await readBlocks(drive)).toHaveLength(3)
    await drive.unload()
  })

  test('nine and a right one start the count anew', async () => {
    const { drive } = await mixedTape()
    for (let round = 0; round < 3; round += 1) {
      await drive.locate(1)
      for (let n = 0; n < 9; n += 1) {
        setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(100 + n) })
        await expect(drive.read()).rejects.toMatchObject({ code: '7/74/03' })
      }
      setByHost(drive, { decryptionMode: 'mixed', key: keyNumber(1) })
      expect(await drive.read()).toMatchObject({ data: blockOf(100, 1) })
    }
    await drive.unload()
  })
})

describe('external mode', () => {
  const metadata = async (drive: Drive) => {
    const bytes = descriptorBytes((await nextBlock(drive)).kads, 'M-KAD')
    return { type: 'M-KAD', authenticated: 'reserved', bytes } satisfies KadDescriptor
  }

  test('copies ciphertext to another cartridge without the key, readable with it', async () => {
    const { drive } = await mixedTape({ rawRead: 'allowed' })
    setByHost(drive, { decryptionMode: 'raw' })
    await drive.locate(1)
    const mkad = await metadata(drive)
    const [first, second] = await readBlocks(drive)

    const { drive: other } = await withCartridge()
    await other.write(blockOf(100, 0))
    const kads = [...descriptorsOf(mixedTapeKad), mkad]
    setByHost(other, { encryptionMode: 'external', rawRead: 'allowed', kads })
    await other.write(first ?? new Uint8Array())
    await other.write(second ?? new Uint8Array())
    await expect(other.write(first ?? new Uint8Array())).rejects.toMatchObject({ code: '7/74/0B' })
    await expect(other.write(blockOf(100, 1))).rejects.toMatchObject({ code: '7/74/0B' })

    setByHost(other, { decryptionMode: 'mixed', key: keyNumber(1), modeCheck: 'external' })
    await other.locate(1)
    expect(await nextBlock(other)).toMatchObject({ emes: true, encryption: 'decryptable' })
    expect(await readBlocks(other)).toEqual([blockOf(100, 1), blockOf(100, 2)])
    await drive.unload()
    await other.unload()
  })

  test('needs the metadata KAD the drive made, and no other mode takes one', async () => {
    const { drive } = await mixedTape({ rawRead: 'allowed' })
    setByHost(drive, { decryptionMode: 'raw' })
    await drive.locate(1)
    const mkad = await metadata(drive)
    const refused: Partial<SetDataEncryption>[] = [
      { encryptionMode: 'external', kads: descriptorsOf(mixedTapeKad) },
      { encryptionMode: 'external', kads: [...descriptorsOf(kadOfText('', 'OTHER-')), mkad] },
      bothWays(keyNumber(1), [...descriptorsOf(mixedTapeKad), mkad]),
    ]
    for (const settings of refused) {
      expect(() => setByHost(drive, settings)).toThrow(expect.objectContaining({ code: '5/26/00' }))
    }
    await drive.unload()
  })
})

describe('Set Data Encryption', () => {
  const long = (length: number): KadDescriptor['bytes'] => new Uint8Array(length)
  const as = (type: KadDescriptor['type'], length = 4): KadDescriptor[] => [
    { type, authenticated: 'reserved', bytes: long(length) },
  ]
  const withKey = bothWays(keyNumber(1))

  test.each<[string, Partial<SetDataEncryption>, string]>([
    ['the public scope', { scope: 'public' }, '5/26/00'],
    ['LOCK', { lock: true }, '5/26/00'],
    ['SDK', { sdk: true }, '5/26/00'],
    ['CKORP', { ckorp: true }, '5/26/00'],
    ['CKORL', { ckorl: true }, '5/26/00'],
    ['algorithm 0', { ...withKey, algorithmIndex: 0 }, '5/26/00'],
    ['a wrapped key', { ...withKey, keyFormat: 2 }, '5/26/00'],
    ['encrypt mode without a key', { encryptionMode: 'encrypt' }, '5/26/00'],
    ['decrypt mode without a key', { decryptionMode: 'decrypt' }, '5/26/00'],
    ['mixed mode without a key', { decryptionMode: 'mixed' }, '5/26/00'],
    ['a nonce', { ...withKey, kads: as('nonce') }, '5/26/00'],
    ['a wrapped-key KAD', { ...withKey, kads: as('wrapped-key') }, '5/26/00'],
    ['AUTHENTICATED', { ...withKey, kads: descriptorsOf(mixedTapeKad, 'verified') }, '5/26/00'],
    ['a key of 16 bytes', { ...withKey, key: long(16) }, '5/24/00'],
    ['a key of 33 bytes', { ...withKey, key: long(33) }, '5/24/00'],
    ['a U-KAD of 33 bytes', { ...withKey, kads: as('U-KAD', 33) }, '5/24/00'],
    ['an A-KAD of 61 bytes', { ...withKey, kads: as('A-KAD', 61) }, '5/24/00'],
  ])('is refused with %s', async (_, settings, code) => {
    const drive = hostDrive()
    expect(() => setByHost(drive, settings)).toThrow(expect.objectContaining({ code }))
    expect(await status(drive)).toMatchObject({ encryptionMode: 'off', keyInstanceCounter: 0 })
  })

  test('takes the longest KADs', () => {
    const kads = [...as('U-KAD', 32), ...as('A-KAD', 60)]
    expect(() => setByHost(hostDrive(), { ...withKey, kads })).not.toThrow()
  })

  test('takes LTO-4 lengths only while an LTO-4 medium is loaded, and later too', async () => {
    const cartridge = await blankCartridge({ barcode: 'KR0001L4' })
    const drive = hostDrive({ generation: 5 })
    const kads = as('A-KAD', 13)
    setByHost(drive, { ...withKey, kads })
    await drive.load(cartridge)
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/74/0B' })
    expect(() => setByHost(drive, { ...withKey, kads })).toThrow(
      expect.objectContaining({ code: '5/24/00' }),
    )
    await drive.unload()
  })

  test('ignores the KADs when encryption is off', async () => {
    const drive = hostDrive()
    setByHost(drive, { kads: descriptorsOf(mixedTapeKad) })
    expect((await status(drive)).kads).toEqual([])
  })

  const page = setDataEncryption.encode({ ...encryptionOff, ...withKey })

  test.each([
    ['junk in a reserved byte', page.with(14, 1), '5/26/00'],
    ['an unknown mode', page.with(6, 7), '5/26/00'],
    ['a length that lies', page.with(3, 0x2f), '5/24/00'],
    ['a key length beyond the page', page.with(19, 0x21), '5/24/00'],
    ['nothing', new Uint8Array(), '5/24/00'],
  ])('is refused with %s', (_, data, code) => {
    expect(() => sendOut(hostDrive(), data)).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    ['another transfer length', outCommand(page.length + 1)],
    ['another page', encodeCommand('out', { protocol: 0x20, page: 0x11, length: page.length })],
    ['another protocol', encodeCommand('out', { protocol: 0x00, page: 0x10, length: page.length })],
    ['the other command', encodeCommand('in', { protocol: 0x20, page: 0x10, length: page.length })],
    ['a short descriptor block', outCommand(page.length).subarray(0, 11)],
  ])('is refused under a descriptor block with %s', (_, cdb) => {
    expect(() => hostDrive().securityProtocolOut('host', cdb, page)).toThrow(
      expect.objectContaining({ code: '5/24/00' }),
    )
  })

  test('is refused on the port that does not manage keys', async () => {
    const shelf = new KeyShelf()
    expect(() => sendOut(libraryDrive(shelf), page, 'host')).toThrow(
      expect.objectContaining({ code: '5/74/21' }),
    )
    expect(() => sendOut(hostDrive(), page, 'automation')).toThrow(
      expect.objectContaining({ code: '5/74/21' }),
    )
    expect(() => sendOut(libraryDrive(shelf), page, 'automation')).not.toThrow()
    const drive = hostDrive()
    drive.setControl(shelf)
    expect(() => sendOut(drive, page)).toThrow(expect.objectContaining({ code: '5/74/21' }))
  })
})

describe('the key', () => {
  test('leaves with the cartridge when the page said so', async () => {
    const { drive, cartridge } = await mixedTape({ ckod: true })
    await drive.unload()
    expect(await status(drive)).toMatchObject({ encryptionMode: 'off', nexusScope: 'public' })
    await drive.load(cartridge)
    await drive.locate(1)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/01' })
    await drive.unload()
  })

  test('of a host stays for the next cartridge when the page did not', async () => {
    const { drive, cartridge } = await mixedTape()
    await drive.unload()
    await drive.load(cartridge)
    await drive.locate(1)
    expect(await readBlocks(drive)).toHaveLength(2)
    await drive.unload()
  })

  test('does not outlive power or a change of who manages keys', async () => {
    const drive = hostDrive()
    setByHost(drive, bothWays(keyNumber(1)))
    await drive.powerCycle()
    expect(await status(drive)).toMatchObject({ encryptionMode: 'off', keyInstanceCounter: 0 })
    setByHost(drive, bothWays(keyNumber(1)))
    drive.setControl({ kind: 'application' })
    expect(await status(drive)).toMatchObject({ encryptionMode: 'off', keyInstanceCounter: 2 })
  })

  test('is copied: the caller may wipe its page at once', async () => {
    const { drive } = await withCartridge()
    const data = setDataEncryption.encode({ ...encryptionOff, ...bothWays(keyNumber(1)) })
    sendOut(drive, data)
    data.fill(0)
    await drive.write(blockOf(10, 1))
    setByHost(drive, bothWays(keyNumber(1)))
    await drive.rewind()
    expect(await readBlocks(drive)).toEqual([blockOf(10, 1)])
    await drive.unload()
  })

  test('does no more than 2^32 blocks: 7/74/00', () => {
    const cipher = new BlockCipher(keyNumber(1), drawRandom, 2 ** 32 - 1)
    const last = cipher.encrypt(blockOf(10, 1), mixedTapeKad.akad, 0)
    expect(last.iv.subarray(8)).toEqual(hex('ffffffff'))
    expect(() => cipher.encrypt(blockOf(10, 1), mixedTapeKad.akad, 1)).toThrow(
      expect.objectContaining({ code: '7/74/00' }),
    )
  })
})
