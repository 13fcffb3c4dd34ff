// Cases as files: finding them, their names, the order they run in, and the messages inside.
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseXml, version, type Version, type XmlElement } from 'ttlv-codec'

/** A case before it is read. */
export interface CaseFile {
  /** `TL-M-3-14`, whatever the file adds to it. */
  readonly name: string
  /** `TL-M`. */
  readonly family: string
  /** The version in its name. */
  readonly version: Version
  readonly path: string
}

/** A request and the answer published for it. */
export interface Exchange {
  readonly request: XmlElement
  readonly answer: XmlElement
}

/** A file that cannot be run as a case. */
export class CaseError extends Error {
  override readonly name = 'CaseError'
}

const messageLimits = { maxBytes: 4 << 20, maxDepth: 64, maxItems: 200_000 }

/**
 * All cases under the folders, by version and then by family and number, so that a key made by
 * TL-M-2 is there for TL-M-3; those that count others' keys first. Throws when a folder is absent or two cases bear one name.
 */
export async function findCases(folders: readonly string[]): Promise<CaseFile[]> {
  const cases: CaseFile[] = []
  for (const folder of folders) {
    for (const file of await readdir(folder, { recursive: true })) {
      if (file.endsWith('.xml')) cases.push(named(join(folder, file)))
    }
  }
  cases.sort(
    (one, other) =>
      one.version - other.version ||
      Number(countsOthers.has(other.family)) - Number(countsOthers.has(one.family)) ||
      collator.compare(one.name, other.name),
  )
  const twin = cases.find(({ name }, at) => name === cases[at + 1]?.name)
  if (twin !== undefined) throw new CaseError(`two cases are named ${twin.name}: ${twin.path}`)
  return cases
}

/**
 * Families that count the keys made in the last seconds, whoever made them, and so run before those that
 * leave keys behind (TC-CS-CORVAL-1-14, TC-WRAP).
 */
const countsOthers: ReadonlySet<string> = new Set(['TC-OFFSET'])

const collator = new Intl.Collator('en', { numeric: true })

/** `TL_M_2_10_tape_write_new_key.xml` is the case TL-M-2-10 of the family TL-M, version 1.0. */
function named(path: string): CaseFile {
  const plain = basename(path, '.xml').replaceAll('_', '-')
  const match = /^(?<family>.+?)-(?<number>\d+)-(?<major>\d)(?<minor>\d)(-.*)?$/.exec(plain)
  if (match?.groups === undefined) {
    throw new CaseError(`${path} is not named FAMILY-NUMBER-VERSION.xml`)
  }
  const { family = '', number, major, minor } = match.groups
  return {
    name: `${family}-${number}-${major}${minor}`,
    family,
    version: version(`${Number(major)}.${Number(minor)}`),
    path,
  }
}

/** Reads the exchanges of a case. Throws DecodeError or CaseError when the file is at fault. */
export async function readExchanges({ name, path }: CaseFile): Promise<Exchange[]> {
  const roots = parseXml(await readFile(path, 'utf8'), messageLimits)
  const messages = roots.flatMap((root) => (root.name === 'KMIP' ? root.children : [root]))
  const exchanges: Exchange[] = []
  for (let at = 0; at < messages.length; at += 2) {
    const request = messages[at]
    const answer = messages[at + 1]
    if (request?.name !== 'RequestMessage' || answer?.name !== 'ResponseMessage') {
      throw new CaseError(`${name}: message ${at + 1} is not a request followed by its answer`)
    }
    exchanges.push({ request, answer })
  }
  if (exchanges.length === 0) throw new CaseError(`${name} holds no messages`)
  return exchanges
}
