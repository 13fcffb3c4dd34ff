// What crosses a drive's ports in SECURITY PROTOCOL IN and OUT: the pages made from its state, one
// row each, and the one page it takes. The only place a malformed page becomes a sense.

import type { RandomBytes } from './drive-cipher.ts'
import { metadataKad, type EncryptionState } from './drive-encryption.ts'
import type { KadLimits } from './generations.ts'
import type { Medium } from './medium.ts'
import {
  aes256Gcm,
  dataEncryptionCapabilities,
  managementCapabilities,
  supportedInPages,
  supportedKeyFormats,
  supportedOutPages,
} from './security-protocol-capabilities.ts'
import { PageError } from './security-protocol-fields.ts'
import { descriptorsOf, type KadDescriptor } from './security-protocol-page.ts'
import {
  dataEncryptionStatus,
  nextBlockEncryptionStatus,
  randomNumber,
  setDataEncryption,
  type NextBlockEncryptionStatus,
  type SetDataEncryption,
} from './security-protocol-pages.ts'
import {
  decodeCommand,
  emptyCertificate,
  encodeProtocolList,
  securityProtocols,
} from './security-protocol.ts'
import { CheckCondition, type SenseCode } from './sense.ts'

/** The host's interface, or the one towards the library's controller. */
export type Port = 'host' | 'automation'

/** What the pages are made from. */
export interface DriveView {
  readonly port: Port
  readonly managedBy: 'library' | 'application'
  readonly encryption: EncryptionState
  readonly kadLimits: KadLimits
  readonly medium: Medium | undefined
  readonly position: number
  readonly random: RandomBytes
}

type MakePage = (drive: DriveView) => Uint8Array | Promise<Uint8Array>

/** One row per page that can be read, by page code. */
const inPages: ReadonlyMap<number, MakePage> = new Map<number, MakePage>([
  [supportedInPages.code, () => supportedInPages.encode([...inPages.keys()])],
  [supportedOutPages.code, () => supportedOutPages.encode([setDataEncryption.code])],
  [dataEncryptionCapabilities.code, capabilities],
  [supportedKeyFormats.code, () => supportedKeyFormats.encode([0])],
  [managementCapabilities.code, management],
  [dataEncryptionStatus.code, status],
  [nextBlockEncryptionStatus.code, nextBlock],
  [randomNumber.code, (drive) => randomNumber.encode(drive.random(32))],
])

/** The page a descriptor block asks for, cut to its allocation length; 5/24/00 for no such page. */
export async function answerIn(cdb: Uint8Array, drive: DriveView): Promise<Uint8Array> {
  const { protocol, page, length } = asSense(() => decodeCommand('in', cdb), '5/24/00')
  if (protocol === securityProtocols.information && page === 0) {
    return encodeProtocolList(Object.values(securityProtocols)).slice(0, length)
  }
  if (protocol === securityProtocols.information && page === 1) {
    return emptyCertificate().slice(0, length)
  }
  const make = protocol === securityProtocols.tapeDataEncryption ? inPages.get(page) : undefined
  if (make === undefined) {
    throw new CheckCondition('5/24/00', `no page ${page} of protocol ${protocol}`)
  }
  return (await make(drive)).slice(0, length)
}

/**
 * The parameters a descriptor block and its data bring: 5/24/00 for another page or lengths that
 * disagree, 5/74/21 on the port that does not manage keys, 5/26/00 for junk in the page.
 */
export function settingOut(
  cdb: Uint8Array,
  data: Uint8Array,
  drive: Pick<DriveView, 'port' | 'managedBy'>,
): SetDataEncryption {
  const { protocol, page, length } = asSense(() => decodeCommand('out', cdb), '5/24/00')
  const known = protocol === securityProtocols.tapeDataEncryption && page === setDataEncryption.code
  if (!known || length !== data.length) {
    throw new CheckCondition('5/24/00', `page ${page} of protocol ${protocol}, ${length} bytes`)
  }
  if (!mayConfigure(drive)) {
    throw new CheckCondition('5/74/21', `keys come from the ${drive.managedBy}`)
  }
  return settingOf(data)
}

/** Reads a Set Data Encryption page: 5/24/00 for its lengths, 5/26/00 for anything else. */
export const settingOf = (page: Uint8Array): SetDataEncryption =>
  asSense(() => setDataEncryption.decode(page), '5/26/00')

/** Whether this port may set parameters. */
const mayConfigure = (drive: Pick<DriveView, 'port' | 'managedBy'>): boolean =>
  drive.managedBy === (drive.port === 'host' ? 'application' : 'library')

function asSense<T>(decode: () => T, otherwise: SenseCode): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof PageError)) throw error
    const code = error.code === 'length' ? '5/24/00' : otherwise
    throw new CheckCondition(code, error.message, { cause: error })
  }
}

function capabilities(drive: DriveView): Uint8Array {
  const loaded = drive.medium !== undefined
  return dataEncryptionCapabilities.encode({
    externalControl: 'capable',
    configuration: mayConfigure(drive) ? 'allowed' : 'prevented',
    algorithms: [
      {
        index: 1,
        length: 20,
        avfmv: loaded,
        sdk_c: false,
        mac_c: false,
        delb_c: false,
        decrypt_c: 'hardware',
        encrypt_c: 'hardware',
        avfclp: loaded ? 'valid' : 'not-applicable',
        nonce_c: 0,
        kadf_c: true,
        vcelb_c: true,
        ukadf: false,
        akadf: false,
        maximumUkad: drive.kadLimits.ukad,
        maximumAkad: drive.kadLimits.akad,
        keySize: 32,
        // Key-associated data may be sent; modes can be checked on reading; raw reading is off
        // unless asked for when the block is written; blocks record the mode they were written in.
        dkad_c: 3,
        eemc_c: 2,
        rdmc_c: 4,
        earem: true,
        maximumEedks: 0,
        msdk: 0,
        maximumEedkSize: 0,
        algorithm: aes256Gcm,
      },
    ],
  })
}

function management(): Uint8Array {
  return managementCapabilities.encode({
    lock_c: false,
    ckod_c: true,
    ckorp_c: false,
    ckorl_c: false,
    aitn_c: true,
    local_c: true,
    public_c: false,
  })
}

function status(drive: DriveView): Uint8Array {
  const { page, kad, keyInstanceCounter } = drive.encryption
  const managed = drive.managedBy === 'library' ? 'management' : 'software'
  return dataEncryptionStatus.encode({
    nexusScope: page.scope,
    keyScope: page.scope,
    encryptionMode: page.encryptionMode,
    decryptionMode: page.decryptionMode,
    algorithmIndex: page.algorithmIndex,
    keyInstanceCounter,
    parametersControl: managed,
    vcelb: drive.medium?.containsEncrypted ?? false,
    modeCheck: page.modeCheck,
    rdmd: page.rawRead !== 'allowed',
    kadFormat: page.kadFormat,
    asdkCount: 0,
    kads: descriptorsOf(kad, 'not-covered', 'not-attempted'),
  })
}

async function nextBlock(drive: DriveView): Promise<Uint8Array> {
  if (drive.medium === undefined) throw new CheckCondition('2/3A/00', 'no next block')
  const n = drive.position
  const object = await drive.medium.read(n)
  const base = {
    objectNumber: n,
    compression: 0,
    algorithmIndex: 0,
    emes: false,
    rdmds: false,
    kadFormat: 'unspecified',
    kads: [] as readonly KadDescriptor[],
  } as const
  if (object?.kind !== 'encrypted') {
    const encryption = whatIsThere(object?.kind)
    return nextBlockEncryptionStatus.encode({ ...base, encryption })
  }
  const probe = drive.encryption.probe(object, n)
  const raw = drive.encryption.page.decryptionMode === 'raw'
  const kads = descriptorsOf(object, 'not-covered', probe)
  return nextBlockEncryptionStatus.encode({
    ...base,
    encryption: probe === 'not-attempted' ? 'key-missing-or-wrong' : 'decryptable',
    algorithmIndex: 1,
    emes: object.external,
    rdmds: !object.rawReadAllowed,
    kadFormat: object.kadFormat,
    kads: raw ? [...kads, metadata(object.akad)] : kads,
  })
}

function whatIsThere(
  kind: 'clear' | 'filemark' | undefined,
): NextBlockEncryptionStatus['encryption'] {
  if (kind === undefined) return 'not-now'
  return kind === 'clear' ? 'clear' : 'not-a-block'
}

const metadata = (akad: Uint8Array): KadDescriptor => ({
  type: 'M-KAD',
  authenticated: 'not-covered',
  bytes: metadataKad(akad),
})
