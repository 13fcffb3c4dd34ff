/**
 * How objects leave – KMIP 2.1 §6.1.18, §6.1.19; KMIP 1.4 §4.11, §4.40: in the format they are kept in
 * or one they convert to, in the clear or wrapped. Shared by Get and Export, which say so by `operation`.
 */
import { version as versionNumber, type Version } from 'ttlv-codec'
import { allowed } from '../../access/policy.ts'
import { materialOf } from '../../keystore/keystore.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { after, type Soon } from '../../keystore/soon.ts'
import { shown } from '../model/attribute-forms.ts'
import type { KeyBlock, KeyWrappingData } from '../model/objects.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { formatFor, inFormat } from './key-conversion.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import { isWrapped, unwrappedBlock, wrappedBlock, type WrappedBlock } from './key-wrapping.ts'
import type { Context } from './operation.ts'
import { pkcs12Block, pkcs12Certificates } from './pkcs12-release.ts'
import { sayable } from './sayable.ts'
import { contentsOf } from './templates.ts'
import { encrypts } from './wrapping-keys.ts'

/** The operations that hand objects out. */
type Releasing = 'Get' | 'Export'

/** How the object is asked for. */
export type Asked = RequestPayload<'Get'>

/** The structure of the object as it leaves. @throws KmipError */
export function released(
  object: ManagedObject,
  operation: Releasing,
  asked: Asked,
  context: Context,
): Soon<object> {
  checkRelease(object, operation, asked, context)
  noteState(object, context)
  const { now, version } = context
  if (object.objectType === 'Template') {
    const contents = sayable(contentsOf(object, now), object.objectType, version)
    return { Attribute: contents.map(shown) }
  }
  const format = formatFor(object, asked, version)
  return after(fieldsOf(object, context), (fields) => {
    const manner = { format, operation, asked }
    if ('KeyBlock' in fields)
      return keyReleased(fields as { KeyBlock: KeyBlock }, manner, object, context)
    if (asked.KeyWrappingSpecification === undefined) {
      if (format !== 'PKCS_12') return fields
      return withCertificates(fields, object, context)
    }
    throw new KmipError('InvalidObjectType', `object ${object.id} is no key to be wrapped`, {
      before20: 'IllegalOperation',
    })
  })
}

async function withCertificates(
  fields: object,
  object: ManagedObject,
  context: Context,
): Promise<object> {
  return { ...fields, CertificateValue: await pkcs12Certificates(context, object) }
}

/** Everything that forbids handing the object out as asked, checked before its material is unsealed. */
function checkRelease(
  object: ManagedObject,
  operation: Releasing,
  asked: Asked,
  { principal }: Context,
): void {
  const { id, objectType, vitals } = object
  if (vitals.DestroyDate !== undefined)
    throw new KmipError('ObjectDestroyed', `object ${id} is destroyed`)
  const { KeyWrappingSpecification: specification } = asked
  const wrapped = specification !== undefined
  const refusal = allowed(principal, operation, { objectType, wrapped })
  if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
  // A MAC or signature alone leaves the key in the clear.
  const bare = wrapped && !encrypts(specification)
  const refusalBare = bare ? allowed(principal, operation, { objectType, wrapped: false }) : true
  if (refusalBare !== true) throw new KmipError('PermissionDenied', refusalBare)
  if (wrapped && objectType === 'Template')
    throw new KmipError('InvalidField', `object ${id} is a Template: it is not wrapped`)
  if (!vitals.Extractable) throw new KmipError('NotExtractable', `object ${id} is not extractable`)
  if (vitals.Sensitive && !mayLeaveEncrypted(object, asked)) throw sensitive(object)
}

function sensitive({ id }: ManagedObject): KmipError {
  return new KmipError('Sensitive', `object ${id} is sensitive: it leaves encrypted only`)
}

/**
 * Whether the object may turn out to leave encrypted: that it is registered wrapped shows in its link
 * at once, but a client may link what it likes, so it is looked at again once it is unsealed.
 */
function mayLeaveEncrypted(
  { attributes }: ManagedObject,
  { KeyWrappingSpecification: specification, KeyWrapType }: Asked,
): boolean {
  if (specification !== undefined) return encrypts(specification)
  const isRegisteredWrapped = attributes
    .values('Link')
    .some(({ LinkType }) => LinkType === 'WrappingKeyLink')
  return isRegisteredWrapped && KeyWrapType !== 'NotWrapped'
}

/** A key that is served although it is out of use is marked in the audit. */
function noteState({ vitals }: ManagedObject, { now, noted }: Context): void {
  const state = stateOf(vitals, now)
  if (state === 'Deactivated' || state === 'Compromised') noted.details = { state }
}

/** The object's structure, unsealed. The bytes belong to a secret that is wiped after the answer. */
function fieldsOf(object: ManagedObject, context: Context): Soon<object> {
  return after(materialOf(context.work, object), (secret) => {
    if (secret === undefined) {
      throw new KmipError('KeyValueNotPresent', `the value of object ${object.id} is not here`, {
        before20: 'IllegalOperation',
      })
    }
    context.secrets.push(secret)
    return unsealedFields(object.objectType as SealedType, secret.bytes)
  })
}

interface Manner {
  format: KeyBlock['KeyFormatType'] | undefined
  operation: Releasing
  asked: Asked
}

/** A key: unwrapped, converted and wrapped as asked (Key Wrap Type: KMIP 1.4 §9.1.3.2.48). */
function keyReleased(
  fields: { KeyBlock: KeyBlock },
  manner: Manner,
  object: ManagedObject,
  context: Context,
): Soon<object> {
  const { KeyBlock: kept } = fields
  const { KeyWrapType, KeyWrappingSpecification: specification } = manner.asked
  if (KeyWrapType !== undefined && KeyWrapType !== 'NotWrapped' && KeyWrapType !== 'AsRegistered')
    throw wrapTypeRefusal(`Key Wrap Type ${KeyWrapType} is not known`)
  if (isWrapped(kept)) {
    if (leavesAsRegistered(manner, object, context))
      return asRegistered({ KeyBlock: kept, fields }, manner, object, context)
    if (KeyWrapType === 'AsRegistered')
      throw wrapTypeRefusal(`object ${object.id} cannot leave wrapped as it is registered`)
  }
  if (specification === undefined && object.vitals.Sensitive) throw sensitive(object)
  const unwrapped = isWrapped(kept) ? unwrappedBlock(context, kept) : kept
  return after(unwrapped, (KeyBlock) =>
    keyInClear({ ...fields, KeyBlock }, { ...manner, kept }, object, context),
  )
}

/** A key that is not wrapped, or no longer: converted and wrapped as asked. */
function keyInClear(
  fields: { KeyBlock: KeyBlock },
  { asked, format, kept }: Manner & { kept: KeyBlock },
  object: ManagedObject,
  context: Context,
): Soon<object> {
  const { KeyWrappingSpecification: specification, KeyCompressionType } = asked
  if (format === 'PKCS_12') {
    if (specification === undefined)
      return pkcs12Block(context, object, fields.KeyBlock).then((KeyBlock) => ({ KeyBlock }))
    throw new KmipError('KeyFormatTypeNotSupported', 'a PKCS#12 file is not wrapped')
  }
  const converted = inFormat(fields, format, KeyCompressionType, object, context.version)
  if (specification === undefined) return converted
  const { KeyBlock: block } = converted as { KeyBlock: KeyBlock }
  return wrappedBlock(context, object, { block, kept }, specification).then((KeyBlock) => ({
    ...converted,
    KeyBlock,
  }))
}

/** A profile whose clients get no wrapped keys gets what was registered wrapped in the clear. */
function leavesAsRegistered(
  { operation, asked: { KeyWrapType, KeyWrappingSpecification } }: Manner,
  { objectType }: ManagedObject,
  { principal }: Context,
): boolean {
  if (KeyWrapType === 'NotWrapped' || KeyWrappingSpecification !== undefined) return false
  return allowed(principal, operation, { objectType, wrapped: true }) === true
}

/** Whether the version has words for the wrapping; without them the key would be opened wrongly. */
function canSay(data: KeyWrappingData, { objectType }: ManagedObject, version: Version): boolean {
  if (version < encodingOptionSince && data.EncodingOption === 'NoEncoding') return false
  const tag = 'CryptographicParameters'
  return [data.EncryptionKeyInformation, data.MACSignatureKeyInformation]
    .flatMap((information) => information?.CryptographicParameters ?? [])
    .every((value) => sayable([{ tag, value }], objectType, version).length > 0)
}

/** First version that can say how a wrapped Key Value is encoded (KMIP 1.1 §2.1.5). */
const encodingOptionSince = versionNumber('1.1')

/** A wrapped object is kept as its client has given it, and leaves so. */
function asRegistered(
  { KeyBlock, fields }: { KeyBlock: WrappedBlock; fields: { KeyBlock: KeyBlock } },
  { format, asked: { KeyCompressionType } }: Manner,
  object: ManagedObject,
  { version }: Context,
): object {
  const { KeyWrappingData, KeyFormatType } = KeyBlock
  if (object.vitals.Sensitive && !encrypts(KeyWrappingData)) throw sensitive(object)
  if (format !== KeyFormatType || KeyCompressionType !== undefined)
    throw new KmipError(
      'KeyFormatTypeNotSupported',
      `object ${object.id} is wrapped: not converted`,
    )
  if (!canSay(KeyWrappingData, object, version))
    throw new KmipError('EncodingOptionError', `the version cannot say how ${object.id} is wrapped`)
  return inFormat(fields, format, undefined, object, version)
}

function wrapTypeRefusal(message: string): KmipError {
  return new KmipError('KeyWrapTypeNotSupported', message, { before20: 'FeatureNotSupported' })
}
