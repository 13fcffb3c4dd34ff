/** Query – KMIP 2.1 §6.1.40. Says what works here, for this client, in this version, and nothing more. */
import { allowed, groupPolicy, isForTests } from '../../access/policy.ts'
import { announcedNamespaces } from '../../keystore/namespaces.ts'
import { ObjectType, Operation, QueryFunction } from '../model/enumerations.ts'
import { ProtectionStorageMask } from '../model/masks.ts'
import {
  payloads,
  type OperationName,
  type RequestPayload,
  type ResponsePayload,
} from '../model/payloads/index.ts'
import { randomNumberGenerator } from './create.ts'
import { toldDefaults } from './object-defaults.ts'
import { serverProfiles } from './server-profiles.ts'
import { operation, type Context } from './operation.ts'

type Answer = ResponsePayload<'Query'>
type Telling = (
  context: Context,
  request: RequestPayload<'Query'>,
) => Partial<Answer> | Promise<Partial<Answer>>

/** Operations that the client's group keeps from it, whatever its profile allows. */
async function closedTo({ work, principal }: Context): Promise<OperationName[]> {
  if (principal.profile !== 'general') return []
  const { rules, reprovision } = await groupPolicy(work, principal.group)
  const setsRules = rules === 'clients' && !principal.ownOnly
  const renewsItself = reprovision !== 'refuse' && principal.owner === principal.name
  return [
    ...(setsRules ? [] : (['SetConstraints', 'SetDefaults'] as const)),
    ...(renewsItself ? [] : (['ReProvision'] as const)),
  ]
}

/** What each Query Function adds to the answer. Functions without a row add nothing. */
const answers: Partial<Record<string, Telling>> = {
  QueryOperations: async (context) => {
    const { principal, version, facts } = context
    const closed = await closedTo(context)
    return {
      Operation: (Object.keys(payloads) as OperationName[]).filter(
        (name) =>
          Operation.since(name) <= version &&
          allowed(principal, name) === true &&
          !closed.includes(name) &&
          (!isForTests(name) || facts.testingSince !== undefined),
      ),
    }
  },
  // The Tape Library Profile lists Template up to 1.4: a client may name templates even where it may
  // not register them.
  QueryObjects: ({ principal, version }) => ({
    ObjectType: inPublishedOrder(ObjectType.names(version)).filter(
      (objectType) =>
        objectType === 'Template' || allowed(principal, 'Register', { objectType }) === true,
    ),
  }),
  QueryServerInformation: ({ facts }) => ({
    VendorIdentification: facts.vendor,
    // Vendors may say more here; the profiles show it empty, and a version helps nobody but an attacker.
    ServerInformation: { AlternateFailoverEndpoints: [] },
  }),
  QueryApplicationNamespaces: () => ({ ApplicationNamespace: [...announcedNamespaces] }),
  // Which DRBG it is may be left out (§7.36): the cases show a generator of this kind without it.
  QueryRNGs: () => {
    const { RNGAlgorithm, CryptographicAlgorithm, CryptographicLength } = randomNumberGenerator
    return { RNGParameters: [{ RNGAlgorithm, CryptographicAlgorithm, CryptographicLength }] }
  },
  QueryProfiles: ({ version, facts }) => ({
    ProfileInformation: serverProfiles(version, facts.https).map((name) => ({ ProfileName: name })),
  }),
  QueryCapabilities: () => ({
    CapabilityInformation: [
      {
        StreamingCapability: true,
        AsynchronousCapability: true,
        AttestationCapability: false,
        BatchUndoCapability: true,
        BatchContinueCapability: true,
        UnwrapMode: 'NotProcessed',
        DestroyAction: 'KeyMaterialDeleted',
        ShreddingAlgorithm: 'Unsupported',
        RNGMode: 'SharedInstantiation',
        QuantumSafeCapability: false,
      },
    ],
  }),
  // How a certificate of a client gets here: made by the server for its kit, before the client is there or
  // when the administrator asks; from a request of the client; or as a certificate of its own.
  QueryClientRegistrationMethods: () => ({
    ClientRegistrationMethod: [
      'ServerPreGenerated',
      'ServerOnDemand',
      'ClientGenerated',
      'ClientRegistered',
    ],
  }),
  QueryDefaultsInformation: async (context, { ObjectGroups }) => ({
    DefaultsInformation: { ObjectDefaults: await toldDefaults(context, ObjectGroups?.ObjectGroup) },
  }),
  QueryStorageProtectionMasks: () => ({
    ProtectionStorageMasks: { ProtectionStorageMask: [ProtectionStorageMask.bits.Software] },
  }),
}

type ObjectTypeName = ReturnType<typeof ObjectType.names>[number]

/** The order in which the published cases list object types; those of 2.0 come behind them. */
const publishedOrder: readonly ObjectTypeName[] = [
  'Certificate',
  'SymmetricKey',
  'SecretData',
  'PublicKey',
  'PrivateKey',
  'Template',
  'OpaqueObject',
  'SplitKey',
  'PGPKey',
]

function inPublishedOrder(types: readonly ObjectTypeName[]): ObjectTypeName[] {
  const rest = types.filter((type) => !publishedOrder.includes(type))
  return [...publishedOrder.filter((type) => types.includes(type)), ...rest]
}

export const query = operation('Query', {
  effect: 'read',
  async run(request, context) {
    const answer: Answer = {
      Operation: [],
      ObjectType: [],
      ApplicationNamespace: [],
      ExtensionInformation: [],
      AttestationType: [],
      RNGParameters: [],
      ProfileInformation: [],
      ValidationInformation: [],
      CapabilityInformation: [],
      ClientRegistrationMethod: [],
    }
    for (const name of request.QueryFunction) {
      if (typeof name === 'number' || QueryFunction.since(name) > context.version) continue
      Object.assign(answer, await answers[name]?.(context, request))
    }
    return answer
  },
})
