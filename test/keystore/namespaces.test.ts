// Namespaces of tape libraries – KMIP Tape Library Profile 1.0 §2.3.
import { expect, test } from 'vitest'
import {
  announcedNamespaces,
  comparableNamespace,
  tapeNamespace,
} from '../../src/keystore/namespaces.ts'

test.each([
  ['LIBRARY-LTO', 'LIBRARY-LTO'],
  ['LIBRARY-LTO4', 'LIBRARY-LTO4'],
  ['ACME-LIBRARY-LTO', 'LIBRARY-LTO'],
  ['ACME-LIBRARY-LTO9', 'LIBRARY-LTO9'],
  ['ACME-EAST-LIBRARY-LTO', 'LIBRARY-LTO'],
  ['a vendor, with spaces-LIBRARY-LTO', 'LIBRARY-LTO'],
])('%s is the tape namespace %s', (namespace, tape) => {
  expect(tapeNamespace(namespace)).toBe(tape)
  expect(comparableNamespace(namespace)).toBe(tape)
})

test.each(['ssl', '', 'library-lto', 'MYLIBRARY-LTO', 'LIBRARY_LTO', 'LIBRARY-L'])(
  '%j is none',
  (namespace) => {
    expect(tapeNamespace(namespace)).toBeUndefined()
    expect(comparableNamespace(namespace)).toBe(namespace)
  },
)

test('every announced namespace is one', () => {
  for (const namespace of announcedNamespaces) expect(tapeNamespace(namespace)).toBe(namespace)
})
