// SECURITY PROTOCOL IN and OUT as commands: their descriptor blocks, and security protocol 00h that
// lists the protocols a drive speaks (SPC-4 sections 6.30, 6.31 and 7.7). The pages of protocol
// 20h, tape data encryption, lie in the neighbouring security-protocol-*.ts files.

import { flag, layout, PageError, uint } from './security-protocol-fields.ts'

export const securityProtocols = { information: 0x00, tapeDataEncryption: 0x20 } as const

const operationCodes = { in: 0xa2, out: 0xb5 } as const

const descriptorBlock = layout('command descriptor block', [0, 12], {
  operation: uint(0, 1),
  protocol: uint(1, 1),
  page: uint(2, 2),
  inc512: flag(4, 7),
  length: uint(6, 4),
  control: uint(11, 1),
})

/** A parsed command descriptor block; `length` is what it allows or announces, in bytes. */
export interface SecurityProtocolCommand {
  readonly protocol: number
  readonly page: number
  readonly length: number
}

/** The 12 bytes of SECURITY PROTOCOL IN (A2h) or OUT (B5h). */
export const encodeCommand = (
  direction: 'in' | 'out',
  command: SecurityProtocolCommand,
): Uint8Array =>
  descriptorBlock.write({
    ...command,
    operation: operationCodes[direction],
    inc512: false,
    control: 0,
  })

/** Reads such a block; throws PageError for another command, another size or junk in it. */
export function decodeCommand(direction: 'in' | 'out', cdb: Uint8Array): SecurityProtocolCommand {
  if (cdb.length !== descriptorBlock.size) {
    throw new PageError('length', `descriptor block of ${cdb.length} bytes`)
  }
  const { operation, protocol, page, inc512, length, control } = descriptorBlock.read(cdb)
  if (operation !== operationCodes[direction] || inc512 || control !== 0) {
    throw new PageError('value', `operation ${operation}, INC_512 ${inc512}, control ${control}`)
  }
  return { protocol, page, length }
}

/** Protocol 00h page 0000h: the protocols spoken. */
export function encodeProtocolList(protocols: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 + protocols.length)
  new DataView(bytes.buffer).setUint16(6, protocols.length)
  bytes.set(protocols, 8)
  return bytes
}

/** Protocol 00h page 0001h: a certificate, which a simulated drive does not have. */
export const emptyCertificate = (): Uint8Array => new Uint8Array(4)
