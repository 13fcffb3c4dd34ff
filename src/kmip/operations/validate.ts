/**
 * Validate – KMIP 1.4 §4.24, §11.25; KMIP 2.1 §6.1.57. Judges one chain of certificates, given by value,
 * by identifier or both. Trusted are the group's own authority and authorities that are objects of the group.
 */
import { issuingCertificate } from '../../access/issuing-authority.ts'
import {
  isAuthority,
  judgeChain,
  type ChainLink,
  type ChainVerdict,
} from '../../crypto/certificate-chains.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KmipError } from '../model/result.ts'
import { certificateOf } from './certified-objects.ts'
import { operation, type Context } from './operation.ts'
import { subject } from './subject.ts'

/** Most certificates of one request. */
const longestChain = 32

export const validate = operation('Validate', {
  effect: 'act',
  async run({ Certificate, UniqueIdentifier, ValidityDate }, context) {
    const count = Certificate.length + UniqueIdentifier.length
    if (count === 0) throw new KmipError('InvalidMessage', 'there is no certificate to validate')
    if (count > longestChain)
      throw new KmipError('InvalidField', `a chain has at most ${longestChain} certificates`)
    const at = ValidityDate ?? context.now
    const given = Certificate.map((one) => linkOf(one, { isAnchor: false, isRevoked: false }))
    for (const name of UniqueIdentifier) {
      const object = await subject(context, name, 'Validate')
      given.push(await managedLink(context, object, at))
    }
    const links = given.filter((link) => link !== undefined)
    // PGP certificates have no chain that anybody here could follow.
    if (links.length < given.length) return { ValidityIndicator: 'Unknown' as const }
    return { ValidityIndicator: await verdict(context, links, at) }
  },
})

async function verdict(
  { work, principal }: Context,
  links: readonly ChainLink[],
  at: bigint,
): Promise<ChainVerdict> {
  const own = await issuingCertificate(work, principal.group)
  const anchors = own === undefined ? [] : [{ der: own.der, isAnchor: true, isRevoked: false }]
  try {
    return judgeChain(links, anchors, at)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    if (error.code === 'unsupported') return 'Unknown'
    throw new KmipError('InvalidMessage', error.message, { cause: error })
  }
}

function linkOf(
  { CertificateType, CertificateValue }: { CertificateType: unknown; CertificateValue: Uint8Array },
  trust: Pick<ChainLink, 'isAnchor' | 'isRevoked'>,
): ChainLink | undefined {
  return CertificateType === 'X_509' ? { der: CertificateValue, ...trust } : undefined
}

/** A certificate that is an object; a self-signed authority among them is one that somebody registered. */
async function managedLink(
  context: Context,
  object: ManagedObject,
  at: bigint,
): Promise<ChainLink | undefined> {
  const { id, objectType, vitals } = object
  if (objectType !== 'Certificate') {
    throw new KmipError('InvalidObjectType', `object ${id} is no certificate`, {
      before20: 'InvalidMessage',
    })
  }
  const { CompromiseDate, DeactivationDate, DestroyDate } = vitals
  const isPast = (date: bigint | undefined) => date !== undefined && date <= at
  const isRevoked = [CompromiseDate, DeactivationDate, DestroyDate].some(isPast)
  const fields = await certificateOf(context, object)
  const der = Uint8Array.from(fields.CertificateValue)
  return linkOf(
    { ...fields, CertificateValue: der },
    {
      isAnchor: fields.CertificateType === 'X_509' && isAuthority(der),
      isRevoked,
    },
  )
}
