/**
 * Application namespaces of tape libraries – KMIP Tape Library Profile 1.0 §2.3 and §3.2.
 * `LIBRARY-LTO`, `LIBRARY-LTO5` … and the same behind a vendor's name and a hyphen: `ACME-LIBRARY-LTO`
 * means `LIBRARY-LTO`.
 */
const tape = /^(?:.*?-)?(LIBRARY-LTO.*)$/u

/** The namespace without a vendor's name; undefined when it is none of a tape library. */
export function tapeNamespace(namespace: string): string | undefined {
  return tape.exec(namespace)?.[1]
}

/** The form in which namespaces are compared: a tape namespace without its vendor, else as it is. */
export function comparableNamespace(namespace: string): string {
  return tapeNamespace(namespace) ?? namespace
}

/** Namespaces named in Query; for these keyreel makes Application Data when a client leaves it out. */
export const announcedNamespaces: readonly string[] = [
  'LIBRARY-LTO',
  'LIBRARY-LTO4',
  'LIBRARY-LTO5',
  'LIBRARY-LTO6',
  'LIBRARY-LTO7',
  'LIBRARY-LTO8',
  'LIBRARY-LTO9',
]
