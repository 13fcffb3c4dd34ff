/** Register – KMIP 2.1 §6.1.43. An object that the client made. */
import { allowed } from '../../access/policy.ts'
import { objectFields } from '../model/objects.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { SealedType } from './key-material.ts'
import { checkStorage, keepObject, prepareObject, type Prepared } from './new-object.ts'
import { keepTaken, takeIn } from './object-intake.ts'
import { operation, type Context } from './operation.ts'
import { objectTypesIn } from './sayable.ts'

export const register = operation('Register', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const objectType = typeOf(request, context)
    const refusal = allowed(context.principal, 'Register', { objectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    checkStorage(request.ProtectionStorageMasks)
    const { object, made } =
      objectType === 'Template'
        ? await keptTemplate(context, request)
        : await keptObject(context, request, objectType)
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})

/** A Template of 1.x or an object that has material. */
type Registrable = SealedType | 'Template'

function typeOf({ ObjectType }: RequestPayload<'Register'>, { version }: Context): Registrable {
  const isKnown = typeof ObjectType === 'string' && objectTypesIn(version).has(ObjectType)
  if (isKnown) return ObjectType
  throw new KmipError('InvalidObjectType', `Register does not take ${ObjectType}`)
}

async function keptObject(
  context: Context,
  request: RequestPayload<'Register'>,
  objectType: SealedType,
): Promise<Prepared> {
  const fields = fieldsOf(request, objectType)
  const attributes = request.Attributes ?? []
  const taken = await takeIn(context, 'Register', { objectType, fields, attributes })
  await keepTaken(context, taken)
  return taken
}

async function keptTemplate(
  context: Context,
  request: RequestPayload<'Register'>,
): Promise<Prepared> {
  fieldsOf(request, 'Template')
  const given = [...(request.Attributes ?? []), ...contentsOf(request)]
  const prepared = await prepareObject(context, 'Register', 'Template', given)
  await keepObject(context, prepared.object, undefined)
  return prepared
}

/** The one object field, which must be that of the Object Type. */
function fieldsOf(request: RequestPayload<'Register'>, objectType: Registrable): object {
  const present = [...Object.keys(objectFields), 'Template'].filter((field) => field in request)
  if (present.length !== 1 || present[0] !== objectType) {
    throw new KmipError(
      'InvalidField',
      `Object Type is ${objectType}, but the object given is ${present.join(', ') || 'missing'}`,
    )
  }
  return request[objectType] as object
}

/** A Template's own Name goes with its other attributes, not into what it hands on (KMIP 1.4 §11.4). */
function contentsOf({ Template }: RequestPayload<'Register'>) {
  const contents = Template?.Attribute ?? []
  if (contents.some(({ tag }) => tag === 'Name'))
    throw new KmipError('InvalidField', 'the Template structure holds a Name')
  return contents
}
