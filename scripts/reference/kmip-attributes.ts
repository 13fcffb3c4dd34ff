// docs/reference/kmip-attributes.md: every attribute, from the rows of the model.
import type { AttributeRow, ObjectTypeName } from '../../src/kmip/model/attribute-rules.ts'
import { attributes, vendorAttribute } from '../../src/kmip/model/attributes.ts'
import { newest } from '../../src/kmip/model/versions.ts'
import { sections, table } from './markdown.ts'

/** The letter that stands for each object type. */
const letters: Record<ObjectTypeName, string> = {
  SymmetricKey: 'K',
  PublicKey: 'U',
  PrivateKey: 'P',
  SplitKey: 'X',
  SecretData: 'S',
  Certificate: 'C',
  CertificateRequest: 'R',
  OpaqueObject: 'O',
  PGPKey: 'G',
  Template: 'T',
}

const intro = `
One line per attribute of KMIP 1.0 to ${newest.text}: of symmetric keys (K), public keys (U), private keys (P), split keys (X),
secret data (S), certificates (C), certificate requests (R), opaque objects (O), PGP keys (G) and, until 1.4,
templates (T).

The columns:

- *first given*: when a client may give the value. *making*: only in Create or Register; *any time*: also
  later, by Add or Set Attribute; *server*: never.
- *change*, *delete*: when a client may do so.
- *many*: whether an object may have several.
- *on*: the object types that have it, before 2.0 and from 2.0 on.
`

const given = {
  never: 'server',
  'on-making': 'making',
  'on-register': 'Register',
  'any-time': 'any time',
} as const

export const attributesPage = {
  title: 'Attributes',
  about: 'every attribute of KMIP that objects here can have, by version, and who may change it',
  body: () =>
    sections(
      intro,
      table(
        ['attribute', 'versions', 'first given', 'change', 'delete', 'many', 'on, 1.x', 'on, 2.x'],
        [
          ...(Object.values(attributes) as AttributeRow<unknown>[]).filter(isKept),
          vendorAttribute as AttributeRow<unknown>,
        ].map(row),
      ),
      'Custom attributes of 1.x are named `x-…` by clients and `y-…` by the server; in 2.x they are vendor attributes with the vendor identifications `x` and `y`. Clients may use other vendor identifications in 2.x; such attributes cannot be said in 1.x and are left out of its answers.',
    ),
}

function isKept({ of }: AttributeRow<unknown>): boolean {
  return lettersOf(of.v1) !== '' || lettersOf(of.v2) !== ''
}

function row({
  text,
  since,
  until,
  givenByClient,
  changeByClient,
  deleteByClient,
  multiple,
  of,
}: AttributeRow<unknown>) {
  return [
    text,
    until === undefined ? `${since} on` : `${since} to ${until}`,
    given[givenByClient],
    words(changeByClient),
    words(deleteByClient),
    multiple ? 'yes' : '',
    since.startsWith('2') ? '' : lettersOf(of.v1),
    until === undefined ? lettersOf(of.v2) : '',
  ]
}

function words(when: string): string {
  return when
    .replaceAll('-', ' ')
    .replaceAll('pre active', 'Pre-Active')
    .replaceAll('active', 'Active')
}

function lettersOf(types: readonly ObjectTypeName[]): string {
  return Object.entries(letters)
    .filter(([type]) => types.includes(type as ObjectTypeName))
    .map(([, letter]) => letter)
    .join(' ')
}
