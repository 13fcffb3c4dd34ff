// docs/reference/settings.md: every setting and every limit, from the table of src/config.ts.
import {
  environmentName,
  everySetting,
  flagName,
  ownConfigFile,
  settings,
} from '../../src/config.ts'
import type { SettingKey } from '../../src/config.ts'
import { cipherSettings } from '../../src/kmip/server/cipher-settings.ts'
import { limitRows } from '../../src/kmip/server/limits.ts'
import { block, code, sections, table } from './markdown.ts'

const ways = `
A value comes from the first of these that has one:

1. the flag;
2. the environment variable;
3. the TOML file: the one named by \`--config FILE\` or \`KEYREEL_CONFIG\`, else
   \`${ownConfigFile}\` in the data directory when there is one;
4. the default.

A dot in a key is a table of the TOML file. Paths in the file are relative to the file. An unknown key
or a wrong value stops the command with exit status 2 and names the key. A \`${ownConfigFile}\` that lies in
the data directory must not set \`data\`.
`

const example = `
listen = "0.0.0.0:5696"
master-key-file = "/etc/keyreel/master.key"

[log]
format = "json"

[limits]
idle-time = "8h"
connections-per-client = 64
`

const limitsText = `
Limits have no flags: set them in the file or in the environment. Times take \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`;
sizes take \`B\`, \`KiB\`, \`MiB\`, \`GiB\`; the others are whole numbers from 1. Times are looked at once a
second, so they end up to a second late. A limit changes at the next start of the server.
`

const reloadText = `
SIGHUP makes a running server read its settings and certificates again. Only \`log.level\` changes at once;
for every other setting that has changed the log says that it waits for a restart.
`

const otherVariables = [
  ['KEYREEL_CONFIG', 'the TOML file, when `--config` is not given'],
  ['KEYREEL_DEBUG', 'any value: errors are printed with their stack trace'],
  ['NO_COLOR', 'any value: no colours'],
  [
    'CREDENTIALS_DIRECTORY',
    'set by systemd: the master passphrase is read from its file `keyreel-passphrase`, unless `passphrase-file` names another, and the PIN of a token from `keyreel-pin`, unless `pkcs11.pin-file` does',
  ],
  [
    'KEYREEL_OASIS_CASES',
    'for `npm run conformance` and `npm test` only: a folder of published test cases',
  ],
] as const

export const settingsPage = {
  title: 'Settings and limits',
  about: 'every setting with its key, environment variable, flag and default; every limit',
  body: () =>
    sections(
      ways,
      block(example.trim(), 'toml'),
      '## Settings',
      table(
        ['key', 'environment', 'flag', 'default', 'meaning'],
        Object.keys(settings).map(settingRow),
      ),
      reloadText,
      '## Other environment variables',
      table(
        ['variable', 'meaning'],
        otherVariables.map(([name, meaning]) => [code(name), meaning]),
      ),
      '## Limits',
      limitsText,
      table(['key', 'environment', 'default', 'meaning'], limitKeys().map(limitRow)),
      '## Cipher suites',
      'What each word of `tls.ciphers` lets TLS negotiate, in order of preference. The key exchange groups are those of the Node runtime.',
      ...Object.entries(cipherSettings).flatMap(
        ([name, { minVersion, maxVersion, ciphers, help }]) => [
          `### ${name}`,
          `${help}. ${minVersion} to ${maxVersion}.`,
          block(ciphers.join('\n')),
        ],
      ),
    ),
}

function settingRow(key: string) {
  const { default: value, placeholder, help } = settings[key as SettingKey]
  const flag = `${flagName(key as SettingKey)}${placeholder === '' ? '' : ` ${placeholder}`}`
  const shown = value === undefined ? 'none' : code(String(value))
  return [code(key), code(environmentName(key)), code(flag), shown, help]
}

function limitKeys(): string[] {
  return Object.keys(everySetting).filter((key) => key.startsWith('limits.'))
}

function limitRow(key: string) {
  const row = everySetting as unknown as Record<
    string,
    { limit: keyof typeof limitRows; help: string }
  >
  const { limit, help } = row[key]!
  return [code(key), code(environmentName(key)), quantity(limit), help]
}

const steps = {
  milliseconds: [
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
    [1, 'ms'],
  ],
  bytes: [
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
    [1, 'B'],
  ],
} as const

/** The default as it would be written in the file. */
function quantity(limit: keyof typeof limitRows): string {
  const { value, unit } = limitRows[limit]
  const units = (steps as Partial<Record<string, readonly (readonly [number, string])[]>>)[unit]
  const [size, name] = units?.find(([one]) => value % one === 0) ?? [1, '']
  return code(`${value / size}${name}`)
}
