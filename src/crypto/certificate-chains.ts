/**
 * Whether certificates form a chain up to one that is trusted – KMIP 2.1 §6.1.57, RFC 5280 §6 as far as
 * signatures, names, validity and the right to issue go. Revocation is the caller's to know.
 */
import { X509Certificate } from 'node:crypto'
import { readCertificateFacts } from './certificate-attributes.ts'
import { CryptoRefusal } from './crypto-refusal.ts'

/** One certificate of a chain to be judged. */
export interface ChainLink {
  der: Uint8Array
  /** A chain may end here. */
  isAnchor: boolean
  /** It was withdrawn before the moment asked about. */
  isRevoked: boolean
}

/** Unknown: nothing is wrong with the certificates, but they lead to nobody who is trusted. */
export type ChainVerdict = 'Valid' | 'Invalid' | 'Unknown'

interface Parsed extends ChainLink {
  certificate: X509Certificate
  notBefore: bigint
  notAfter: bigint
}

/**
 * Judges the chain that `given` are, in any order, at a moment in seconds since 1970. `anchors` may
 * complete it. Throws CryptoRefusal `parameters` for what is no certificate, or no one chain.
 */
export function judgeChain(
  given: readonly ChainLink[],
  anchors: readonly ChainLink[],
  at: bigint,
): ChainVerdict {
  const chain = ordered(given.map(parsed))
  const top = chain.at(-1)!
  const above = anchors.map(parsed).find((anchor) => isIssuer(anchor, top) && !isSame(anchor, top))
  const whole = above === undefined ? chain : [...chain, above]
  for (const [place, link] of whole.entries()) {
    const issuer = whole[place + 1]
    const isGood = link.notBefore <= at && at <= link.notAfter && !link.isRevoked
    if (!isGood || (issuer !== undefined && !isSignedBy(link, issuer))) return 'Invalid'
  }
  const last = whole.at(-1)!
  if (isIssuer(last, last) && !isSignedBy(last, last)) return 'Invalid'
  return whole.some(({ isAnchor }) => isAnchor) ? 'Valid' : 'Unknown'
}

/** Whether it is a certificate that an authority has issued to itself. */
export function isAuthority(der: Uint8Array): boolean {
  const certificate = new X509Certificate(der)
  return certificate.ca && certificate.checkIssued(certificate)
}

/** From the certificate that issued none of the others up to the last one. */
function ordered(all: readonly Parsed[]): Parsed[] {
  const unique = all.filter((one, at) => all.findIndex((other) => isSame(one, other)) === at)
  const leaves = unique.filter(
    (one) => !unique.some((other) => other !== one && isIssuer(one, other)),
  )
  const [leaf] = leaves
  if (leaf === undefined || leaves.length > 1) throw noChain()
  const chain = [leaf]
  for (let next = issuerIn(unique, leaf); next !== undefined; next = issuerIn(unique, next)) {
    if (chain.includes(next)) throw noChain()
    chain.push(next)
  }
  if (chain.length < unique.length) throw noChain()
  return chain
}

function issuerIn(all: readonly Parsed[], one: Parsed): Parsed | undefined {
  return all.find((other) => other !== one && isIssuer(other, one))
}

/** By name and key identifiers; the signature is another question. */
function isIssuer(issuer: Parsed, { certificate }: Parsed): boolean {
  return certificate.checkIssued(issuer.certificate)
}

function isSignedBy({ certificate }: Parsed, issuer: Parsed): boolean {
  if (!issuer.certificate.ca) return false
  try {
    return certificate.verify(issuer.certificate.publicKey)
  } catch (error) {
    throw new CryptoRefusal('unsupported', 'a key of an algorithm that is not supported', error)
  }
}

function isSame(one: ChainLink, other: ChainLink): boolean {
  return Buffer.compare(one.der, other.der) === 0
}

function parsed(link: ChainLink): Parsed {
  const { notBefore, notAfter } = readCertificateFacts(link.der)
  return { ...link, certificate: new X509Certificate(link.der), notBefore, notAfter }
}

function noChain(): CryptoRefusal {
  return new CryptoRefusal('parameters', 'the certificates do not form one chain')
}
