// The tests a library offers to find out why a drive gets no key: `drive` (one of its own, once), then
// towards every server of its list in turn `ping` (TCP and TLS), `config` (versions, operations,
// certificates) and `path` (a key request through that drive). A failure comes with what to do.

import { versionText } from 'ttlv-codec'

import type { Client } from '../src/kmip/client/client.ts'
import {
  ConnectionError,
  ResultError,
  type ConnectionErrorCode,
} from '../src/kmip/client/errors.ts'
import { versionOf } from '../src/kmip/model/versions.ts'
import type { Library } from './library.ts'
import { addressText, NoKeyServer, type ServerAddress } from './library-servers.ts'
import { readBack, write } from './recording.ts'
import { aes256Gcm, dataEncryptionCapabilities } from './security-protocol-capabilities.ts'
import { encodeCommand, securityProtocols } from './security-protocol.ts'
import { CheckCondition } from './sense.ts'
import type { Stage } from './stage.ts'

export type DiagnosticTest = 'drive' | 'ping' | 'config' | 'path'

/** What one test found. */
export interface Finding {
  /** `host:port`; undefined for the drive, which is the library's own. */
  readonly server: string | undefined
  readonly test: DiagnosticTest
  readonly result: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly found: string
  /** What to do; absent when there is nothing to do. */
  readonly remedy?: string
}

type Verdict = Omit<Finding, 'server' | 'test'>

/**
 * The identifier of the one key with which paths are tested: text, so that an administrator knows
 * it. It is looked for first and made only once per group of libraries.
 */
const diagnosticIdentifier = new TextEncoder().encode('KEYREEL DIAG')
const diagnosticBarcode = 'DG 001L8'

const day = 86_400_000
const warningDays = 90

/** Runs every test. `now` is the library's clock in milliseconds. */
export async function diagnosePaths(
  stage: Stage,
  { now = Date.now() }: { now?: number } = {},
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const server of stage.servers) {
    const library = diagnosticLibrary(stage, server)
    if (findings.length === 0) {
      findings.push({ server: undefined, test: 'drive', ...(await testDrive(library)) })
    }
    const name = addressText(server)
    const ping = await testPing(stage, server, now)
    findings.push({ server: name, test: 'ping', ...ping.verdict })
    if (ping.client === undefined) {
      const skipped = { result: 'skipped', found: 'the server cannot be reached' } as const
      findings.push({ server: name, test: 'config', ...skipped })
      findings.push({ server: name, test: 'path', ...skipped })
      continue
    }
    findings.push({ server: name, test: 'config', ...(await testConfig(stage, ping.client)) })
    findings.push({ server: name, test: 'path', ...(await testPath(stage, library)) })
  }
  return findings
}

/** What `ping` and `config` find wrong with the servers, with the remedies; nothing where all is well. */
export async function troubleOf(stage: Stage): Promise<string[]> {
  const lines: string[] = []
  for (const server of stage.servers) {
    const { verdict, client } = await testPing(stage, server, Date.now())
    const { result, found, remedy } =
      client === undefined ? verdict : await testConfig(stage, client)
    if (result !== 'failed') continue
    lines.push(`key server ${addressText(server)}: ${found}`)
    if (remedy !== undefined) lines.push(`hint: ${remedy}`)
  }
  return lines
}

const diagnosticLibrary = (stage: Stage, server: ServerAddress): Library =>
  stage.library({
    servers: [server],
    dialect: { ...stage.dialect, identifierBytes: diagnosticIdentifier.length },
    partitions: [{ name: 'diagnostics', method: 'library', drives: [8] }],
    identifiers: () => Uint8Array.from(diagnosticIdentifier),
    looksFirst: true,
  })

/** Whether an empty drive says that a library can manage AES-256-GCM in it. */
async function testDrive(library: Library): Promise<Verdict> {
  const drive = library.drive(0)
  const page = dataEncryptionCapabilities.code
  const protocol = securityProtocols.tapeDataEncryption
  const answer = await drive.securityProtocolIn(
    'automation',
    encodeCommand('in', { protocol, page, length: 8192 }),
  )
  const { externalControl, algorithms } = dataEncryptionCapabilities.decode(answer)
  const encrypts = algorithms.some(
    ({ algorithm, encrypt_c }) => algorithm === aes256Gcm && encrypt_c === 'hardware',
  )
  const found = `LTO-${drive.generation} drive ${drive.serial}`
  if (encrypts && externalControl === 'capable') {
    return { result: 'ok', found: `${found} encrypts with AES-256-GCM under library control` }
  }
  return {
    result: 'failed',
    found: `${found} does not encrypt under library control`,
    remedy: 'use a drive of LTO-4 or later, and check that its encryption licence is installed',
  }
}

/** TCP, TLS and both certificates. */
async function testPing(
  stage: Stage,
  server: ServerAddress,
  now: number,
): Promise<{ verdict: Verdict; client?: Client }> {
  try {
    const began = performance.now()
    const client = await stage.client({ server })
    const took = Math.round(performance.now() - began)
    const { protocol, cipher, validity } = client.tls!
    const found = `${protocol}, ${cipher}, ${took} ms`
    const ends = [
      { whose: "the server's certificate", to: validity.server?.to, remedy: renewServer },
      { whose: "this library's certificate", to: validity.client?.to, remedy: renewLibrary },
    ]
    for (const { whose, to, remedy } of ends) {
      const left = to === undefined ? Infinity : Math.floor((to.getTime() - now) / day)
      if (left <= warningDays) {
        const end = left < 0 ? 'has ended' : `ends in ${left} days`
        const verdict = { result: 'warning', found: `${found}; ${whose} ${end}`, remedy } as const
        return { verdict, client }
      }
    }
    return { verdict: { result: 'ok', found }, client }
  } catch (error) {
    return { verdict: failure(error) }
  }
}

const renewServer = 'on the key server:  keyreel server certificate renew'
const renewLibrary = 'on the key server:  keyreel library renew NAME, then install the new kit'

/** Versions and operations, and whether the server takes us for somebody at all. */
async function testConfig(stage: Stage, client: Client): Promise<Verdict> {
  const { dialect } = stage
  try {
    const { Operation, VendorIdentification } = await client.call('Query', {
      QueryFunction: ['QueryOperations', 'QueryServerInformation'],
    })
    const missing = (['Create', 'Locate', 'Get'] as const).filter(
      (name) => !Operation.includes(name),
    )
    if (missing.length > 0) {
      return {
        result: 'failed',
        found: `the server does not offer ${missing.join(', ')} to this library`,
        remedy: 'enrol the library with the profile tape-library:  keyreel library add NAME',
      }
    }
    const spoken = dialect.version === '1.0' ? [dialect.version] : await versionsOf(client)
    const who = VendorIdentification ?? 'the server'
    return { result: 'ok', found: `${who} speaks KMIP ${spoken.join(', ')}` }
  } catch (error) {
    return failure(error)
  }
}

async function versionsOf(client: Client): Promise<string[]> {
  const { ProtocolVersion } = await client.call('DiscoverVersions', {})
  return ProtocolVersion.map(({ ProtocolVersionMajor, ProtocolVersionMinor }) =>
    versionText(versionOf(ProtocolVersionMajor, ProtocolVersionMinor)),
  )
}

/** A drive writes one block under the diagnostic key, forgets the key, asks again and reads. */
async function testPath(stage: Stage, library: Library): Promise<Verdict> {
  const cartridge = await stage.cartridge(diagnosticBarcode)
  const recording = { seed: 0, blocks: 1, blockSize: 1024 }
  await library.insert(cartridge)
  const drive = await library.mount(cartridge, 0)
  try {
    await write(drive, recording)
    await drive.powerCycle()
    await readBack(drive, [recording])
    const waits = library.journal
      .events()
      .flatMap((event) => ('milliseconds' in event ? [Math.round(event.milliseconds)] : []))
    return {
      result: 'ok',
      found: `drive ${drive.serial} got its key twice, in ${waits.join(' and ')} ms`,
    }
  } catch (error) {
    const last = library.journal.events().at(-1)
    const why = last !== undefined && 'why' in last ? last.why : error
    const sense = error instanceof CheckCondition ? `sense ${error.code}: ` : ''
    const verdict = failure(why instanceof NoKeyServer ? (why.failures.at(-1) ?? why) : why)
    return { ...verdict, found: `${sense}${verdict.found}` }
  } finally {
    await library.dismount(0)
  }
}

const connectionRemedies: Record<ConnectionErrorCode, string> = {
  unreachable: 'check address and port, that keyreel serve runs, and firewalls on the way',
  'server-certificate':
    "check the library's clock, install the ca.pem of this server's kit, and use a name that keyreel init was given (keyreel server certificate renew --host NAME adds one)",
  handshake:
    'check that the kit is installed whole (certificate and key), and the TLS versions allowed',
  timeout: 'the server took the connection and says nothing: look at its load and its log',
  lost: "the server's log says why: usually a certificate that is not enrolled, expired or revoked",
  'no-kmip': 'something else answers at this address: check the port',
  'server-password':
    'the server does not know the password of the library: check the address and the credential',
  version: 'choose a KMIP version from 1.0 to 2.1 in the library',
  closed: 'try again',
  options: 'install the kit anew: a file of it is damaged, or is another one',
}

function failure(error: unknown): Verdict {
  const found = error instanceof Error ? error.message : String(error)
  if (error instanceof ConnectionError) {
    return { result: 'failed', found, remedy: connectionRemedies[error.code] }
  }
  const remedy =
    error instanceof ResultError && error.reason === 'AuthenticationNotSuccessful'
      ? 'check user name and password:  keyreel library credential add NAME'
      : "look at the server's log and at  keyreel audit list"
  return { result: 'failed', found, remedy }
}
