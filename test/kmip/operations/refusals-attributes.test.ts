// What the operations on attributes refuse, and why.
import { isLate } from './engine.ts'
import {
  describeRefusals,
  activated,
  added,
  asi,
  contact,
  custom,
  destroyed,
  early,
  modified,
  name,
  type Row,
} from './refusals.ts'

const changing: Row[] = [
  [
    'adding to an object that is not there',
    () => ['AddAttribute', { UniqueIdentifier: 'none', NewAttribute: contact }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'adding an attribute that the server sets',
    (engine, as) => added(engine, as, { tag: 'State', value: 'Active' }),
    'PermissionDenied',
    'ReadOnlyAttribute',
  ],
  [
    'adding a second value of a single-valued attribute',
    (engine, as) => added(engine, as, { tag: 'CryptographicLength', value: 256 }),
    'PermissionDenied',
    'ReadOnlyAttribute',
  ],
  [
    'adding contact information twice',
    async (engine, as) => [
      'AddAttribute',
      { UniqueIdentifier: await engine.key(as, 'old', [contact]), NewAttribute: contact },
    ],
    'IllegalOperation',
    'AttributeSingleValued',
  ],
  [
    'adding with an Attribute Index',
    (engine, as) => added(engine, as, { ...contact, index: 0 }),
    'InvalidField',
    undefined,
    early,
  ],
  [
    'adding an attribute that such objects do not have',
    (engine, as) =>
      added(engine, as, { tag: 'CryptographicDomainParameters', value: { Qlength: 1 } }),
    'PermissionDenied',
    'InvalidAttribute',
  ],
  [
    'adding a Name that another object has',
    async (engine, as) => (await engine.key(as, 'other'), added(engine, as, name('name of other'))),
    'IllegalOperation',
    'NonUniqueNameAttribute',
  ],
  [
    'adding the Name the object has',
    (engine, as) => added(engine, as, name('name of old')),
    'IllegalOperation',
    'NonUniqueNameAttribute',
  ],
  [
    'adding application information that another tape key has',
    async (engine, as) => (
      await engine.key(as, 'other'),
      added(engine, as, asi('ACME-LIBRARY-LTO', 'other'))
    ),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'adding application information without data in a namespace of others',
    (engine, as) => added(engine, as, asi('ssl')),
    'ApplicationNamespaceNotSupported',
    'ApplicationNamespaceNotSupported',
  ],
  [
    'a custom attribute whose structure holds a structure',
    (engine, as) =>
      added(engine, as, {
        tag: 'Attribute',
        value: {
          VendorIdentification: 'x',
          AttributeName: 'nested',
          AttributeValue: {
            type: 'Structure',
            value: [{ tag: 0x540001, type: 'Structure', value: [] }],
          },
        },
      }),
    'InvalidField',
    undefined,
    early,
  ],
  [
    'a Vendor Identification with other than letters, digits, underscores and periods',
    (engine, as) => added(engine, as, custom('acme ltd', 'place')),
    '',
    'InvalidAttribute',
    isLate,
  ],
  [
    'adding to a destroyed object',
    async (engine, as) => [
      'AddAttribute',
      { UniqueIdentifier: await destroyed(engine, as), NewAttribute: contact },
    ],
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'modifying an attribute that the server sets',
    (engine, as) => modified(engine, as, { tag: 'State', value: 'Active' }),
    'PermissionDenied',
    'AttributeReadOnly',
  ],
  [
    'modifying an attribute that is not there',
    (engine, as) => modified(engine, as, custom('x', 'None')),
    'InvalidField',
    'AttributeNotFound',
  ],
  [
    'modifying an instance by an Attribute Index that is not there',
    (engine, as) => modified(engine, as, { ...contact, index: 3 }),
    'ItemNotFound',
    undefined,
    early,
  ],
  [
    'modifying an instance by a value that is not there',
    (engine, as) => modified(engine, as, contact, { tag: 'ContactInformation', value: 'nobody' }),
    '',
    'AttributeInstanceNotFound',
    isLate,
  ],
  [
    'modifying one attribute by the value of another',
    (engine, as) => modified(engine, as, contact, name('name of old')),
    '',
    'InvalidField',
    isLate,
  ],
  [
    'modifying a Name to that of another object',
    async (engine, as) => (
      await engine.key(as, 'other'),
      modified(engine, as, name('name of other'))
    ),
    'IllegalOperation',
    'NonUniqueNameAttribute',
  ],
  [
    'modifying the Activation Date of an active key',
    async (engine, as) => [
      'ModifyAttribute',
      {
        UniqueIdentifier: await activated(engine, as),
        NewAttribute: { tag: 'ActivationDate', value: 1n },
      },
    ],
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'deleting an attribute that must be there',
    async (engine, as) => [
      'DeleteAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        AttributeReference: { tag: 'CryptographicUsageMask' },
      },
    ],
    'PermissionDenied',
    'AttributeReadOnly',
  ],
  [
    'deleting an attribute that is not there',
    async (engine, as) => [
      'DeleteAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        AttributeReference: { tag: 'ContactInformation' },
      },
    ],
    'ItemNotFound',
    'AttributeNotFound',
  ],
  [
    'deleting an Attribute Index that is not there',
    async (engine, as) => [
      'DeleteAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old', [contact]),
        AttributeReference: { tag: 'ContactInformation' },
        AttributeIndex: 1,
      },
    ],
    'ItemNotFound',
    undefined,
    early,
  ],
  [
    'deleting an attribute of a later version',
    async (engine, as) => [
      'DeleteAttribute',
      { UniqueIdentifier: await engine.key(as, 'old'), AttributeReference: { tag: 'Description' } },
    ],
    'ItemNotFound',
    undefined,
    (as) => as < '1.4',
  ],
  [
    'deleting a value that is not there',
    async (engine, as) => [
      'DeleteAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old', [contact]),
        CurrentAttribute: { tag: 'ContactInformation', value: 'nobody' },
      },
    ],
    '',
    'AttributeInstanceNotFound',
    isLate,
  ],
  [
    'deleting nothing in particular',
    async (engine, as) => [
      'DeleteAttribute',
      { UniqueIdentifier: await engine.key(as, 'old') } as never,
    ],
    '',
    'InvalidMessage',
    isLate,
  ],
  [
    'deleting one attribute by the value of another',
    async (engine, as) => [
      'DeleteAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old', [contact]),
        AttributeReference: { tag: 'ContactInformation' },
        CurrentAttribute: name('somebody'),
      },
    ],
    '',
    'InvalidField',
    isLate,
  ],
  [
    'setting an attribute that the server sets',
    async (engine, as) => [
      'SetAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        NewAttribute: { tag: 'CryptographicLength', value: 128 },
      },
    ],
    '',
    'ReadOnlyAttribute',
    isLate,
  ],
  [
    'setting an attribute of several instances',
    async (engine, as) => [
      'SetAttribute',
      {
        UniqueIdentifier: await engine.key(as, 'old', [name('second')]),
        NewAttribute: name('third'),
      },
    ],
    '',
    'MultiValuedAttribute',
    isLate,
  ],
  [
    'setting a Name to that of another object',
    async (engine, as) => (
      await engine.key(as, 'other'),
      [
        'SetAttribute',
        { UniqueIdentifier: await engine.key(as, 'old'), NewAttribute: name('name of other') },
      ]
    ),
    '',
    'NonUniqueNameAttribute',
    isLate,
  ],
]

describeRefusals('a change of attributes', changing)
