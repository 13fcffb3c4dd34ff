// The kinds of values a setting may have: how each reads a flag, a variable or a TOML value.
import { delimiter } from 'node:path'
import { z } from 'zod'

const durations = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizes = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

interface Kind<S extends z.ZodType> {
  readonly schema: S
  readonly example: string
  readonly isPath: boolean
  /** What stands between several values in a variable, where there may be several. */
  readonly separator?: string
}

/** One row of the table of settings. */
export interface Setting<S extends z.ZodType> extends Kind<S> {
  readonly default: z.output<S>
  /** What stands after the flag in help pages; empty for a switch. */
  readonly placeholder: string
  readonly help: string
}

/** Makes a row: kind, default, placeholder of the flag, help. */
export function setting<S extends z.ZodType>(
  kind: Kind<S>,
  value: z.output<S>,
  placeholder: string,
  help: string,
): Setting<S> {
  return { ...kind, default: value, placeholder, help }
}

function kind<S extends z.ZodType>(
  schema: S,
  example: string,
  isPath = false,
  separator?: string,
): Kind<S> {
  return { schema, example, isPath, ...(separator !== undefined && { separator }) }
}

/** A number with a unit: what it means in the smallest one. */
function quantity<U extends Record<string, number>>(units: U, what: string) {
  const names = Object.keys(units)
  const pattern = new RegExp(`^(\\d+) ?(${names.join('|')})$`)
  return z.string(`expected ${what}`).transform((text, context) => {
    const [, amount, unit] = pattern.exec(text) ?? []
    if (amount !== undefined && unit !== undefined) return Number(amount) * (units[unit] ?? 1)
    context.addIssue(`expected ${what}, a number with one of the units ${names.join(', ')}`)
    return z.NEVER
  })
}

const hostAndPort = z
  .string('expected HOST:PORT')
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'expected HOST:PORT, an IPv6 host in brackets')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'port over 65535')

const filled = z.string('expected a text').min(1, 'expected a text that is not empty')

/** The kinds. Durations are milliseconds, sizes bytes, addresses host and port. */
export const settingKinds = {
  path: kind(filled, '/var/lib/keyreel', true),
  optionalPath: kind(filled.optional(), '/etc/keyreel/secret', true),
  duration: kind(quantity(durations, 'a time'), '"30s"'),
  size: kind(quantity(sizes, 'a size'), '"1MiB"'),
  count: kind(
    z
      .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], 'expected a whole number')
      .refine(
        (value) => Number.isSafeInteger(value) && value >= 1,
        'expected a whole number from 1',
      ),
    '256',
  ),
  toggle: kind(
    z.union(
      [z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')],
      'expected true or false',
    ),
    'true',
  ),
  databases: kind(
    z
      .union([z.string().transform((text) => text.split(/\s+/)), z.array(z.string())], {
        error: 'expected a database URL, or several',
      })
      .optional(),
    '"postgres://keyreel@db.example.org/keyreel"',
    false,
    ' ',
  ),
  folders: kind(
    z
      .union([z.string().transform((text) => text.split(delimiter)), z.array(z.string())])
      .refine((paths) => paths.length > 0 && !paths.includes(''), 'expected a folder, or several')
      .optional(),
    '"/mnt/second/keyreel"',
    true,
    delimiter,
  ),
  optionalName: kind(
    z
      .string('expected a name')
      .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'expected a name of letters, digits, dots and dashes')
      .optional(),
    '"kms-a"',
  ),
  address: kind(hostAndPort, '"127.0.0.1:5696"'),
  optionalAddress: kind(hostAndPort.optional(), '"127.0.0.1:5697"'),
  optionalReceiver: kind(
    z
      .string('expected udp://HOST:PORT or tcp://HOST:PORT')
      .regex(
        /^(udp|tcp):\/\/(\[[0-9a-fA-F:.]+\]|[^:/\s]+):\d{1,5}$/,
        'expected udp://HOST:PORT or tcp://HOST:PORT',
      )
      .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'port over 65535')
      .optional(),
    '"udp://127.0.0.1:514"',
  ),
  optionalText: kind(filled.optional(), '"keyreel"'),
  urlPath: kind(
    z
      .string('expected a path')
      .regex(/^\/[\w.~/-]*$/, 'expected the path of a URL, which begins with /'),
    '"/kmip"',
  ),
  choice: <const W extends string>(...words: readonly [W, ...W[]]) =>
    kind(z.enum(words, `expected one of ${words.join(', ')}`), `"${words[0]}"`),
} as const

/** Host and port of an address setting; an IPv6 host comes without its brackets. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(address.slice(colon + 1)) }
}
