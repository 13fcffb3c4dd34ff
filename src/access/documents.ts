/**
 * What access control keeps in the store: one row per kind of document. The store proves by its MAC
 * that a document is one we wrote; the row says what is in it.
 */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import type { Soon } from '../keystore/soon.ts'
import type { AuditActor, Document, JsonValue, Work } from '../keystore/work.ts'
import { backupShapes } from './backup-documents.ts'

/** Who a client is. Libraries are the rule; a peer is another key server, a service a program. */
export const clientKinds = ['library', 'peer', 'operator', 'service'] as const
export type ClientKind = (typeof clientKinds)[number]

/** Names of the profiles; policy.ts says what each allows. */
export const profileNames = ['tape-library', 'general', 'peer'] as const
export type ProfileName = (typeof profileNames)[number]

/** What a client may be excused from, one by one and only on the administrator's word. */
export const allowances = ['weak-key', 'any-usage'] as const
export type Allowance = (typeof allowances)[number]

const seconds = z.number().int()
const optionalText = z.string().optional()

/** A list that a client has set, in TTLV of KMIP 2.1, base64. */
const objectRule = z.strictObject({
  ttlv: z.string(),
  count: z.number().int(),
  by: z.string(),
  set: seconds,
})

/** Every kind, by what names a document of it. Times are seconds since 1970. */
const shapes = {
  /** By group name: its policies, as `group set` takes them. */
  group: z.strictObject({
    created: seconds,
    destroy: optionalText,
    duplicates: optionalText,
    short: optionalText,
    export: optionalText,
    ready: optionalText,
    retired: optionalText,
    ecb: optionalText,
    padding: optionalText,
    approval: optionalText,
    rules: optionalText,
    withdraw: optionalText,
    reprovision: optionalText,
  }),
  /** By group: what is asked of new objects, as Set Constraints and Set Defaults gave it. */
  constraints: objectRule,
  'object-defaults': objectRule,
  /** By `key/ID` or `cartridge/GROUP/BARCODE`: why it is not destroyed; src/keystore/holds.ts reads it. */
  hold: z.strictObject({ reason: z.string(), since: seconds, cartridge: optionalText }),
  /** By client name. */
  client: z.strictObject({
    kind: z.enum(clientKinds),
    group: z.string(),
    profile: z.enum(profileNames),
    allow: z.array(z.enum(allowances)),
    created: seconds,
    revoked: seconds.optional(),
  }),
  /** By fingerprint. `authority` puts the issuer into the list a handshake sends, unless it is ours. */
  certificate: z.strictObject({
    client: z.string(),
    pem: z.string(),
    authority: optionalText,
    origin: z.enum(['generated', 'request', 'given']),
    enrolled: seconds,
    revoked: seconds.optional(),
    /** The managed object that it is as well, when the client has got it by Re-Provision. */
    object: optionalText,
  }),
  /** By name: a person who may approve, known by the key of this certificate. */
  operator: z.strictObject({
    pem: z.string(),
    fingerprint: z.string(),
    added: seconds,
    revoked: seconds.optional(),
  }),
  /** By client name: what it must also send, one of these. */
  credential: z.strictObject({
    users: z.array(
      z.strictObject({
        /** A user with a password when absent. */
        kind: z.enum(['device', 'one-time']).optional(),
        /** User name, or serial number of a device. */
        username: z.string(),
        /** Without one a device sends no password. */
        hash: optionalText,
        /** Further names that a device must send. */
        identifiers: z
          .strictObject({
            device: optionalText,
            network: optionalText,
            machine: optionalText,
            media: optionalText,
          })
          .optional(),
        ownOnly: z.boolean(),
        added: seconds,
        /** When a one-time password was used up. */
        used: seconds.optional(),
      }),
    ),
  }),
  /** By client name: what the server sends it of itself, and where it listens; nowhere: it turns round its own connections. */
  listener: z.strictObject({
    address: optionalText,
    /** SHA-256 of the certificate that is shown there; one of the client's own when absent. */
    fingerprint: optionalText,
    /** The version spoken there; agreed on when absent. */
    kmip: optionalText,
    notify: z.boolean(),
    put: z.boolean(),
    added: seconds,
  }),
  /** By `client/user`. Secret: the hashes that prove a Hashed Password, as hashed-passwords.ts orders them. */
  'hashed-password': z.strictObject({ added: seconds }),
  /** One, 'ca'. Its secret is the private key, PKCS#8 DER. */
  authority: z.strictObject({ pem: z.string(), created: seconds }),
  /** By group: what signs the certificates that Certify issues. Secret: the private key, PKCS#8 DER. */
  'issuing-authority': z.strictObject({ pem: z.string(), created: seconds }),
  /** By key type. Its secret is the private key, PKCS#8 DER. */
  'server-certificate': z.strictObject({
    pem: z.string(),
    hosts: z.array(z.string()),
    issued: seconds,
  }),
  /** One, 'own': it signs bundles and issues Encryption Certificates. Secret: private key, PKCS#8 DER. */
  'exchange-identity': z.strictObject({ pem: z.string(), created: seconds }),
  /**
   * By fingerprint: Encryption Certificates of ours, old ones too. Secret: a DER sequence of three octet
   * strings, the private keys P-384, ML-KEM-1024 and RSA-3072, PKCS#8 DER each.
   */
  'exchange-certificate': z.strictObject({ pem: z.string(), issued: seconds }),
  /** By name: another site. Its certificates newest last; without an identity nothing is taken from it. */
  'exchange-peer': z.strictObject({
    added: seconds,
    revoked: seconds.optional(),
    identity: z.strictObject({ pem: z.string(), pin: z.string() }).optional(),
    certificates: z.array(
      z.strictObject({
        pem: z.string(),
        fingerprint: z.string(),
        added: seconds,
        confirmed: z.enum(['fingerprint', 'by-hand', 'same-identity']),
      }),
    ),
  }),
  /** By name of a peer: where it serves KMIP, and as whom we go there. Secret: our private key, PKCS#8 DER. */
  'peer-link': z.strictObject({
    url: z.string(),
    ca: z.string(),
    certificate: z.string(),
    added: seconds,
    /** A key server that knows nothing of keyreel: identifiers there of keys that open or wrap. */
    plain: z
      .strictObject({
        /** The private key of the certificate that was imported for the peer. */
        unwrappingKey: optionalText,
        /** An AES key that both sides hold; ours is in a document of the next kind. */
        wrappingKey: optionalText,
      })
      .optional(),
  }),
  /** By name of a peer: the AES key that both sides hold. Secret: its bytes. */
  'peer-wrapping-key': z.strictObject({ added: seconds }),
  /** By export id: an export that waits for a second person, or did. */
  'exchange-approval': z.strictObject({
    peer: z.string(),
    recipient: z.string(),
    group: z.string(),
    selection: z.string(),
    keys: z.number().int(),
    digest: z.string(),
    requester: z.string(),
    requested: seconds,
    expires: seconds,
    used: seconds.optional(),
    approval: z
      .strictObject({
        operator: z.string(),
        fingerprint: z.string(),
        /** Over the text of src/exchange/approval-requests.ts, base64. */
        signature: z.string(),
        approved: seconds,
      })
      .optional(),
  }),
  /** By export id: a bundle that was made, or keys that were sent over KMIP. */
  'exchange-export': z.strictObject({
    /** Its number in the exchange log; entries of early releases have none. */
    entry: z.number().int().optional(),
    peer: z.string(),
    recipient: z.string(),
    group: z.string(),
    selection: z.string(),
    started: seconds,
    finished: seconds.optional(),
    failed: optionalText,
    expires: seconds.optional(),
    keys: z.number().int(),
    digest: optionalText,
    /** Who asked, where somebody was named, and which operator approved. */
    requester: optionalText,
    approver: optionalText,
    /** What the peer has signed about its import of the bundle, or said over KMIP: then there is no import id. */
    receipt: z
      .strictObject({
        import: optionalText,
        imported: seconds,
        received: seconds,
        counts: z.strictObject({
          new: z.number().int(),
          here: z.number().int(),
          conflict: z.number().int(),
          refused: z.number().int(),
        }),
      })
      .optional(),
    /** Sent over KMIP; a bundle otherwise. */
    live: z.literal(true).optional(),
    /** The peer has taken the keys itself over KMIP; then the id is that of its transport key. */
    taken: z.literal(true).optional(),
  }),
  /** By id of the notice: copies of keys that must be used no longer, here or at a peer. */
  'exchange-withdrawal': z.strictObject({
    /** Its number in the exchange log; entries of early releases have none. */
    entry: z.number().int().optional(),
    /** To a peer, or from one. */
    direction: z.enum(['sent', 'received']),
    peer: z.string(),
    reason: z.enum(['withdrawn', 'compromised']),
    /** When the site that sent the keys has said so. */
    signed: seconds,
    /** Ids of the exports by which copies have come that are meant. */
    exports: z.array(z.string()),
    keys: z.number().int(),
    /** Said over KMIP; a file otherwise. */
    live: z.literal(true).optional(),
    /** When the site that has the copies was done. */
    applied: seconds.optional(),
    counts: z
      .strictObject({
        withdrawn: z.number().int(),
        absent: z.number().int(),
        refused: z.number().int(),
      })
      .optional(),
    /** How many documents of the next kind there are. */
    absentParts: z.number().int().optional(),
  }),
  /** By `notice/number`: keys of a withdrawal that were not here; bundles of its exports do not bring them. */
  'exchange-withdrawn': z.strictObject({ keys: z.array(z.string()) }),
  /** By import id: a bundle that was read, and how far. The report of each key is in the audit record. */
  'exchange-import': z.strictObject({
    /** Its number in the exchange log; entries of early releases have none. */
    entry: z.number().int().optional(),
    export: z.string(),
    peer: z.string(),
    sender: z.string(),
    group: z.string(),
    /** Taken over KMIP; a bundle otherwise. */
    live: z.literal(true).optional(),
    started: seconds,
    finished: seconds.optional(),
    keys: z.number().int(),
    counts: z.strictObject({
      new: z.number().int(),
      here: z.number().int(),
      conflict: z.number().int(),
      refused: z.number().int(),
    }),
  }),
  ...backupShapes,
} as const

export type DocumentKind = keyof typeof shapes
/** Kinds that tell what was asked for and done: no right of anybody follows from them. */
export const ledgerKinds: readonly DocumentKind[] = [
  'exchange-approval',
  'exchange-export',
  'exchange-import',
  'backup',
  'backup-schedule',
]

export type Body<Kind extends DocumentKind> = z.infer<(typeof shapes)[Kind]>
export type Named<Kind extends DocumentKind> = { name: string; body: Body<Kind> }

/** Who acts when nobody else is named: whoever may run commands on the data directory. */
export const administrator: AuditActor = { name: 'administrator', kind: 'cli' }

/** The part of an act that reads documents; a read snapshot has it too. */
export type Documents = Pick<Work, 'document' | 'documents'>

/** The part of the store that access control uses. */
export interface ActingStore {
  act<T>(fn: (work: Work) => Soon<T>): Promise<T>
  read<T>(fn: (work: Work) => Soon<T>): Promise<T>
}

/** The body of a document, or undefined when there is none. */
export async function bodyOf<Kind extends DocumentKind>(
  work: Pick<Work, 'document'>,
  kind: Kind,
  name: string,
): Promise<Body<Kind> | undefined> {
  const document = await work.document(kind, name)
  return document && readBody(kind, document)
}

/** All documents of a kind, by name. */
export async function allOf<Kind extends DocumentKind>(
  work: Documents,
  kind: Kind,
): Promise<Named<Kind>[]> {
  const documents = await work.documents(kind)
  return documents.map((document) => ({ name: document.name, body: readBody(kind, document) }))
}

/** Writes a document; the secret part is kept when none is given. */
export async function putBody<Kind extends DocumentKind>(
  work: Pick<Work, 'putDocument'>,
  kind: Kind,
  name: string,
  body: Body<Kind>,
  secret?: Uint8Array,
): Promise<void> {
  await work.putDocument(kind, name, body satisfies JsonValue, secret)
}

/** The client of that name; `UserError` 'no-such-library' otherwise. */
export async function clientOf(work: Documents, name: string): Promise<Body<'client'>> {
  const client = await bodyOf(work, 'client', name)
  if (client === undefined)
    throw new UserError(
      'no-such-library',
      `no library named ${JSON.stringify(name)} is enrolled`,
      'list those that are:  keyreel library list',
    )
  return client
}

function readBody<Kind extends DocumentKind>(kind: Kind, document: Document): Body<Kind> {
  const { success, data, error } = shapes[kind].safeParse(document.body)
  if (!success)
    throw new Error(`document ${kind}/${document.name} is of a form not known here`, {
      cause: error,
    })
  return data as Body<Kind>
}
