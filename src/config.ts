// Configuration: one table of settings. A value comes from a flag, else from the environment
// (`KEYREEL_` and the key in capitals), else from the TOML file, else from the row's default. The file
// is the one named, else keyreel.toml in the data directory when there is one.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { z } from 'zod'
import { exitStatus, UserError } from './errors.ts'
import { cipherSettings } from './kmip/server/cipher-settings.ts'
import type { CipherSettingName } from './kmip/server/cipher-settings.ts'
import { limitRows } from './kmip/server/limits.ts'
import type { LimitName, Limits } from './kmip/server/limits.ts'
import { nearest } from './nearest.ts'
import { isRefusal, permissionDenied } from './presence.ts'
import { setting, settingKinds } from './setting-kinds.ts'
import type { Setting } from './setting-kinds.ts'

const { address, choice, count, duration, optionalAddress, optionalPath, path, size } = settingKinds
const { databases, folders, optionalName, optionalReceiver, optionalText, toggle, urlPath } =
  settingKinds

const cipherNames = ['default', 'newest', 'old'] as const satisfies CipherSettingName[]
const kindsOfUnits = {
  milliseconds: duration,
  bytes: size,
  connections: count,
  lines: count,
  items: count,
}

/** Every setting. Dots are tables of the TOML file: `limits.idle` is `idle` under `[limits]`. */
export const settings = {
  data: setting(path, './keyreel-data', 'DIR', 'data directory'),
  database: setting(
    databases,
    undefined,
    'URL',
    'PostgreSQL that holds the keystore instead of a file: postgres://USER@HOST/NAME; may repeat ' +
      'for a primary and its standbys, of which the writable one is used',
  ),
  'database-silence': setting(
    duration,
    2_000,
    'TIME',
    'how long a database may leave the server without an answer before it is asked whether it is still there; one that leaves that open as long is given up for the next',
  ),
  node: setting(
    optionalName,
    undefined,
    'NAME',
    'name of this server among those on one database; by default that of the machine',
  ),
  listen: setting(address, '127.0.0.1:5696', 'HOST:PORT', 'where KMIP is served; port 0 = any'),
  https: setting(
    optionalAddress,
    undefined,
    'HOST:PORT',
    'where KMIP is served over HTTPS as well (TTLV, XML and JSON); not at all when absent',
  ),
  'https-path': setting(urlPath, '/kmip', 'PATH', 'the path that KMIP over HTTPS is posted to'),
  'master-key-file': setting(optionalPath, undefined, 'FILE', 'master key kept outside the data'),
  'passphrase-file': setting(optionalPath, undefined, 'FILE', 'file with the master passphrase'),
  'pkcs11.module': setting(
    optionalPath,
    undefined,
    'FILE',
    'PKCS#11 module of the token that holds the master key',
  ),
  'pkcs11.token': setting(
    optionalText,
    undefined,
    'LABEL',
    'label or serial number of that token; needed where there are several',
  ),
  'pkcs11.pin-file': setting(optionalPath, undefined, 'FILE', 'file with the PIN of that token'),
  checkpoint: setting(
    optionalPath,
    undefined,
    'FILE',
    'where the heads of the audit chains are kept, outside the data directory: compared when the server starts, written while it runs and by audit verify',
  ),
  'checkpoint-interval': setting(
    duration,
    300_000,
    'TIME',
    'how often the server writes the checkpoint, and sends it to syslog, when something was recorded',
  ),
  syslog: setting(
    optionalReceiver,
    undefined,
    'URL',
    'receiver of checkpoints (RFC 5424): udp://HOST:PORT or tcp://HOST:PORT',
  ),
  journal: setting(
    folders,
    undefined,
    'DIR',
    'folder on another disk or share that gets every change of a keystore in a file before it counts: the second copy that ready=2 of a group asks for; may repeat for further copies (in a variable with a colon between them)',
  ),
  'disk-reserve': setting(
    size,
    64 * 2 ** 20,
    'SIZE',
    'room that the server keeps in the data directory, so that a full disk does not stop it handing out keys',
  ),
  'scrub.interval': setting(
    duration,
    86_400_000,
    'TIME',
    'pause between two walks of the server over everything that is stored, looking for damage',
  ),
  'scrub.pace': setting(count, 200, 'ROWS', 'most rows that such a walk looks at in a second'),
  'backup.alarm-age': setting(
    duration,
    172_800_000,
    'TIME',
    'how long keys may be in no verified backup before the server alarms and doctor fails',
  ),
  'backup.alarm-keys': setting(
    count,
    1,
    'KEYS',
    'how many keys, made or changed since the newest verified backup, that takes',
  ),
  'test-mode': setting(
    toggle,
    false,
    '',
    'for tests only: adds Interop, with which a client may wipe what it has made',
  ),
  'log.level': setting(
    choice('trace', 'debug', 'info', 'warn', 'error'),
    'info',
    'LEVEL',
    'least severe level that is logged',
  ),
  'log.format': setting(
    choice('auto', 'json', 'text'),
    'auto',
    'FORMAT',
    'log lines as JSON or text; auto = text on a terminal',
  ),
  'tls.ciphers': setting(
    choice(...cipherNames),
    'default',
    'NAME',
    'what TLS may negotiate: ' +
      cipherNames.map((name) => `${name} = ${cipherSettings[name].help}`).join('; '),
  ),
} as const

export type SettingKey = keyof typeof settings

/** The listener's limits as settings, such as `limits.idle-time`. They have no flags. */
const limitSettings: Readonly<Record<string, Setting<z.ZodType<number>> & { limit: LimitName }>> =
  Object.fromEntries(
    Object.entries(limitRows).map(([limit, { value, unit, help }]) => {
      const key = `limits.${limit.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
      const row = setting<z.ZodType<number>>(kindsOfUnits[unit], value, '', help)
      return [key, { ...row, limit: limit as LimitName }]
    }),
  )

/** Every setting by its key, for reading files and for reference pages. */
export const everySetting = { ...settings, ...limitSettings }

/** The settled configuration: a value for each key of the table, and the limits by their names. */
export type Config = {
  readonly [K in SettingKey]: z.output<(typeof settings)[K]['schema']>
} & { readonly limits: Limits }

/** Where a configuration comes from. Paths of the file are relative to the file. */
export interface ConfigSources {
  readonly flags: Partial<Record<SettingKey, string>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The TOML file; without one only flags, environment and defaults count. */
  readonly file?: string | undefined
}

/** The environment variable of a setting. */
export function environmentName(key: string): string {
  return `KEYREEL_${key.toUpperCase().replaceAll(/[.-]/g, '_')}`
}

/** The flag of a setting: `--listen`, `--log-level`. */
export function flagName(key: SettingKey): string {
  return `--${key.replaceAll('.', '-')}`
}

/** The file of settings that a data directory may hold. */
export const ownConfigFile = 'keyreel.toml'

/** Settles the configuration. @throws UserError naming the key that is wrong, exit status 2. */
export function settle(sources: ConfigSources): Config {
  const { file } = sources
  const named = file === undefined ? {} : readConfigFile(file)
  const data = settledValue('data', settings.data, sources, named) as string
  const own = join(data, ownConfigFile)
  const filed = file === undefined && existsSync(own) ? readOwnFile(own) : named
  const values = Object.entries(settings).map(
    ([key, row]) => [key, settledValue(key, row, sources, filed)] as const,
  )
  const bounds = Object.entries(limitSettings).map(
    ([key, row]) => [row.limit, settledValue(key, row, sources, filed)] as const,
  )
  const limits = Object.freeze(Object.fromEntries(bounds))
  return Object.freeze({ ...Object.fromEntries(values), data, limits }) as unknown as Config
}

function settledValue(
  key: string,
  row: Setting<z.ZodType>,
  { flags, environment }: ConfigSources,
  filed: Record<string, unknown>,
): unknown {
  const flag = (flags as Partial<Record<string, string>>)[key]
  if (flag !== undefined) return valueOf(row, flag, `--${key.replaceAll('.', '-')}`)
  const variable = environmentName(key)
  const exported = environment[variable]
  if (exported !== undefined && exported !== '') return valueOf(row, exported, variable)
  return filed[key] ?? row.default
}

function readOwnFile(file: string): Record<string, unknown> {
  const values = readConfigFile(file)
  if (!('data' in values)) return values
  throw new UserError(
    'config-key',
    `configuration file ${file} names a data directory, but lies in one`,
    'take the line out, or move the file elsewhere and name it with --config',
    { exitStatus: exitStatus.usage },
  )
}

function valueOf(row: Setting<z.ZodType>, text: string, where: string): unknown {
  const parsed = row.schema.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UserError(
    'config-value',
    `${where} is ${JSON.stringify(text)}: ${parsed.error.issues[0]?.message}`,
    `give ${where} a value such as ${row.example.replaceAll('"', '')}`,
    { exitStatus: exitStatus.usage },
  )
}

function readConfigFile(file: string): Record<string, unknown> {
  const parsed = fileSchema().safeParse(parseFile(file))
  if (!parsed.success) throw wrongFile(file, parsed.error.issues[0])
  const values = flatten(parsed.data)
  for (const [key, row] of Object.entries(settings)) {
    const value = values[key]
    if (!row.isPath) continue
    if (typeof value === 'string') values[key] = resolve(dirname(file), value)
    if (Array.isArray(value))
      values[key] = value.map((path) => resolve(dirname(file), String(path)))
  }
  return values
}

function parseFile(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (isRefusal(cause)) throw permissionDenied(file, cause)
    throw new UserError(
      'config-unreadable',
      `configuration file ${file} cannot be read`,
      'name a readable TOML file with --config, or leave the flag out',
      { exitStatus: exitStatus.usage, cause },
    )
  }
  try {
    return parseToml(text)
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const reason = cause.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '')
    throw new UserError(
      'config-syntax',
      `configuration file ${file}, line ${cause.line}: ${reason}`,
      'correct that line; the format is TOML (https://toml.io)',
      { exitStatus: exitStatus.usage, cause },
    )
  }
}

/** The file as zod sees it: a strict object per table, every key optional. */
function fileSchema() {
  const top: Record<string, z.ZodType> = {}
  const tables: Record<string, Record<string, z.ZodType>> = {}
  for (const [key, row] of Object.entries(everySetting)) {
    const [first = key, second] = key.split('.')
    if (second === undefined) top[first] = row.schema.optional()
    else (tables[first] ??= {})[second] = row.schema.optional()
  }
  for (const [name, rows] of Object.entries(tables)) top[name] = z.strictObject(rows).optional()
  return z.strictObject(top)
}

function flatten(document: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(document).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([inner, deep]) => [`${name}.${inner}`, deep] as const)
      : [[name, value] as const],
  )
  return Object.fromEntries(entries)
}

function wrongFile(file: string, issue: z.core.$ZodIssue | undefined): UserError {
  const rows: Partial<Record<string, Setting<z.ZodType>>> = everySetting
  const at = (issue?.path ?? []).join('.')
  if (issue?.code === 'unrecognized_keys') {
    const key = [at, issue.keys[0]].filter((part) => part !== '').join('.')
    const meant = nearest(key, Object.keys(rows))
    return new UserError(
      'config-key',
      `configuration file ${file} has an unknown key ${key}`,
      meant === undefined
        ? `known keys: ${Object.keys(rows).join(', ')}`
        : `did you mean ${meant}?`,
      { exitStatus: exitStatus.usage },
    )
  }
  const example = rows[at]?.example
  return new UserError(
    'config-value',
    `configuration file ${file}: ${at}: ${issue?.message}`,
    example === undefined
      ? `[${at}] is a table of settings`
      : `write for example ${at.split('.').at(-1)} = ${example}`,
    { exitStatus: exitStatus.usage },
  )
}
