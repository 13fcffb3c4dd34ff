/**
 * Values that new objects get where the client says none: those that Query tells (KMIP 2.1 §6.1.40, §7.22),
 * of the server until a client of the group has set others (§6.1.53). Requests before 2.0 know of none.
 */
import type { Infer } from 'ttlv-codec'
import type { ObjectTypeName } from '../../keystore/managed-object.ts'
import { after, type Soon } from '../../keystore/soon.ts'
import { referenceOf, sameReference, type AttributeInstance } from '../model/attribute-forms.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { OperationName } from '../model/payloads/index.ts'
import type { DefaultsInformation } from '../model/payloads/server.ts'
import { version20, versionOf } from '../model/versions.ts'
import { isForGroups, isGivable, ruleList } from './object-rules.ts'
import type { MakingContext } from './operation.ts'
import { objectTypesIn, sayable } from './sayable.ts'

/** Defaults of one or more Object Types. */
export type ObjectDefaults = Infer<typeof DefaultsInformation>['ObjectDefaults'][number]

const { Encrypt, Decrypt } = CryptographicUsageMask.bits

/** The server's own. */
const ownDefaults: readonly ObjectDefaults[] = [
  {
    ObjectType: 'SymmetricKey',
    Attributes: [
      { tag: 'CryptographicAlgorithm', value: 'AES' },
      { tag: 'CryptographicLength', value: 256 },
      { tag: 'CryptographicUsageMask', value: Encrypt | Decrypt },
    ],
  },
]

/** The defaults that count for the client. */
function defaultsFor(
  context: Pick<MakingContext, 'work' | 'principal'>,
): Soon<readonly ObjectDefaults[]> {
  return after(ruleList('object-defaults', context), (list) => list?.ObjectDefaults ?? ownDefaults)
}

/** Attributes that follow from material which is there, or is asked for in so many words. */
const ofMaterial: ReadonlySet<string> = new Set([
  'CryptographicAlgorithm',
  'CryptographicLength',
  'CryptographicDomainParameters',
  'KeyFormatType',
])

/** Operations that make objects, and whether their material is made to the attributes. */
type Reach = 'material-too' | 'rest'
const making: Partial<Record<OperationName, Reach>> = {
  Create: 'material-too',
  CreateKeyPair: 'material-too',
  DeriveKey: 'rest',
  JoinSplitKey: 'rest',
  Register: 'rest',
}

/**
 * The attributes given, and the defaults of those that are not; `pair` is what is given to both halves of
 * a key pair. The first that is for the object's groups wins, then the first that is for all. Length and
 * domain parameters are those of an algorithm: they are no defaults of another.
 */
export function withDefaults(
  context: MakingContext,
  operation: OperationName,
  objectType: ObjectTypeName,
  given: readonly AttributeInstance[],
  pair: readonly AttributeInstance[] = given,
): Soon<readonly AttributeInstance[]> {
  const reach = making[operation]
  if (reach === undefined || context.version < version20) return given
  return after(defaultsFor(context), (defaults) =>
    filledUp(defaults, reach, objectType, given, pair),
  )
}

function filledUp(
  defaults: readonly ObjectDefaults[],
  reach: Reach,
  objectType: ObjectTypeName,
  given: readonly AttributeInstance[],
  pair: readonly AttributeInstance[],
): readonly AttributeInstance[] {
  const groups = given.filter(({ tag }) => tag === 'ObjectGroup').map(({ value }) => String(value))
  const sets = defaults.filter(
    (set) => typesOf(set).includes(objectType) && isForGroups(set, groups),
  )
  const ordered = [
    ...sets.filter(({ ObjectGroups }) => ObjectGroups !== undefined),
    ...sets.filter(({ ObjectGroups }) => ObjectGroups === undefined),
  ]
  const filled: AttributeInstance[] = []
  for (const { Attributes } of ordered) {
    const said = [...given, ...pair.filter(({ tag }) => ofMaterial.has(tag)), ...filled]
    const own = valueOf(Attributes, 'CryptographicAlgorithm')
    const algorithm = valueOf(said, 'CryptographicAlgorithm')
    const isOther = own !== undefined && algorithm !== undefined && own !== algorithm
    const isFor = ({ tag }: AttributeInstance) =>
      !ofMaterial.has(tag) || (reach === 'material-too' && !isOther)
    filled.push(
      ...Attributes.filter(
        (one) => isFor(one) && isGivable(one, objectType) && !isNamed(one, said),
      ),
    )
  }
  return [...given, ...filled]
}

const version21 = versionOf(2, 1)

/** The defaults as Query tells them; of some Object Groups alone where those are named. */
export async function toldDefaults(
  context: MakingContext,
  groups: readonly string[] | undefined,
): Promise<ObjectDefaults[]> {
  const { version } = context
  const all = (await defaultsFor(context)).filter(
    (set) => groups === undefined || isForGroups(set, groups),
  )
  if (version >= version21) return [...all]
  // 2.0 has one Object Type in each, no Object Groups, and fewer attributes.
  return all
    .filter(({ ObjectGroups }) => ObjectGroups === undefined)
    .flatMap((set) => typesOf(set).map((type) => ({ type, set })))
    .filter(({ type }) => objectTypesIn(version).has(type))
    .map(({ type, set }) => ({
      ObjectType: type,
      Attributes: sayable(set.Attributes, type, version),
    }))
}

/** The Object Types that defaults are for. */
export function typesOf({ ObjectType, ObjectTypes }: ObjectDefaults): ObjectTypeName[] {
  return [ObjectType ?? [], ObjectTypes?.ObjectType ?? []].flat() as ObjectTypeName[]
}

function valueOf(instances: readonly AttributeInstance[], wanted: AttributeInstance['tag']) {
  return instances.find(({ tag }) => tag === wanted)?.value
}

function isNamed(instance: AttributeInstance, said: readonly AttributeInstance[]): boolean {
  const reference = referenceOf(instance)
  return said.some((other) => sameReference(referenceOf(other), reference))
}
