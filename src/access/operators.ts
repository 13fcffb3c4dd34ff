/** Operators: people who approve what somebody else asks for, each known by the key of a certificate. */
import { parseCertificate, type Certificate } from '../crypto/certificates.ts'
import { mayBeUsedFor, pinOf } from '../crypto/encryption-certificates.ts'
import { UserError } from '../errors.ts'
import type { AuditActor } from '../keystore/work.ts'
import {
  administrator,
  allOf,
  bodyOf,
  putBody,
  type ActingStore,
  type Body,
  type Documents,
} from './documents.ts'
import { parseName } from './enrolment.ts'
import { dateOf } from './identity.ts'

/** A person who may approve, or might until revoked. */
export interface Operator {
  readonly name: string
  readonly certificate: Certificate
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
  readonly pin: string
  /** Seconds since 1970. */
  readonly added: bigint
  readonly revoked: bigint | undefined
}

/**
 * Adds a person. `input` is the certificate, PEM or DER, and `file` names it in messages. A key stands for
 * one person only, also after a revocation. Throws UserError.
 */
export async function addOperator(
  store: ActingStore,
  { name, input, file }: { name: string; input: Uint8Array; file: string },
  actor: AuditActor = administrator,
): Promise<Operator> {
  parseName(name, 'operator')
  if (name === administrator.name)
    throw new UserError(
      'operator-exists',
      `${name} is who asks when nobody is named, and cannot be an operator`,
      'choose the name of a person',
    )
  const certificate = parseCertificate(input, file)
  const pin = pinOf(certificate)
  return store.act(async (work) => {
    judge(certificate, file, work.now)
    for (const other of await operators(work)) refuseSame(other, name, pin)
    const { pem, fingerprint, subject } = certificate
    const body = { pem, fingerprint, added: Number(work.now) }
    await putBody(work, 'operator', name, body)
    const details = { operator: name, fingerprint, subject }
    work.audit({ actor, operation: 'operator add', outcome: 'Success', details })
    return operatorOf(name, body)
  })
}

/** Every operator by name, revoked ones too. */
export async function operators(work: Documents): Promise<Operator[]> {
  return (await allOf(work, 'operator')).map(({ name, body }) => operatorOf(name, body))
}

/** The operator of that name, revoked or not. Throws UserError 'no-such-operator'. */
export async function operatorNamed(
  work: Pick<Documents, 'document'>,
  name: string,
): Promise<Operator> {
  const body = await bodyOf(work, 'operator', name)
  if (body !== undefined) return operatorOf(name, body)
  throw new UserError(
    'no-such-operator',
    `there is no operator named ${JSON.stringify(name)}`,
    'list those there are:  keyreel operator list',
  )
}

/** Why the operator may not approve now, in words that follow the name; undefined when it may. */
export function operatorFault(
  { revoked, certificate: { notBefore, notAfter } }: Operator,
  now: bigint,
): string | undefined {
  if (revoked !== undefined) return `was revoked ${dateOf(revoked)}`
  if (now > notAfter) return `has a certificate that expired ${dateOf(notAfter)}`
  if (now < notBefore) return `has a certificate that is valid from ${dateOf(notBefore)} on`
  return undefined
}

/** An operator whose right may be taken away. Throws UserError 'no-such-operator' or 'operator-revoked'. */
export async function revocableOperator(work: Documents, name: string): Promise<Operator> {
  const operator = await operatorNamed(work, name)
  if (operator.revoked === undefined) return operator
  throw new UserError(
    'operator-revoked',
    `operator ${name} was revoked ${dateOf(operator.revoked)}`,
    'list those there are:  keyreel operator list',
  )
}

/** Takes the right away for good; approvals that were not used yet count no longer. */
export async function revokeOperator(
  store: ActingStore,
  name: string,
  actor: AuditActor = administrator,
): Promise<Operator> {
  return store.act(async (work) => {
    const operator = await revocableOperator(work, name)
    const { pem, fingerprint } = operator.certificate
    const body = { pem, fingerprint, added: Number(operator.added), revoked: Number(work.now) }
    await putBody(work, 'operator', name, body)
    const details = { operator: name, fingerprint }
    work.audit({ actor, operation: 'operator revoke', outcome: 'Success', details })
    return operatorOf(name, body)
  })
}

function judge(certificate: Certificate, file: string, now: bigint): void {
  const { notBefore, notAfter, key } = certificate
  const refuse = (code: string, why: string, hint: string) => new UserError(code, why, hint)
  const another = 'make another one, with a key of RSA from 2048 bits, P-256 or Ed25519'
  if (now > notAfter)
    throw refuse(
      'certificate-expired',
      `the certificate in ${file} expired ${dateOf(notAfter)}`,
      another,
    )
  if (now < notBefore)
    throw refuse(
      'certificate-not-yet-valid',
      `the certificate in ${file} is valid from ${dateOf(notBefore)} on`,
      'compare the clocks of both machines (timedatectl shows them)',
    )
  if (!key.strong)
    throw refuse('weak-key', `the key of the certificate in ${file} is ${key.name}`, another)
  if (!mayBeUsedFor(certificate, 'digitalSignature'))
    throw refuse('wrong-usage', `the certificate in ${file} is not for signatures`, another)
}

function refuseSame(other: Operator, name: string, pin: string): void {
  const was = other.revoked === undefined ? 'is' : 'was'
  if (other.name === name)
    throw new UserError(
      'operator-exists',
      `there ${was} an operator named ${name} already`,
      'choose another name: what was approved stays known by the old one',
    )
  if (other.pin === pin)
    throw new UserError(
      'operator-exists',
      `the key of this certificate ${was} that of operator ${other.name}`,
      'every person needs a key of their own',
    )
}

function operatorOf(name: string, { pem, added, revoked }: Body<'operator'>): Operator {
  const certificate = parseCertificate(pem)
  return {
    name,
    certificate,
    pin: pinOf(certificate),
    added: BigInt(added),
    revoked: revoked === undefined ? undefined : BigInt(revoked),
  }
}
