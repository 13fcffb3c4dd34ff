// The rules of docs/explanation/architecture.md that code can break: who imports whom, file sizes,
// complete lists, what may stand in the repository.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { operations } from '../src/kmip/operations/index.ts'
import { payloads } from '../src/kmip/model/payloads/index.ts'

const root = join(import.meta.dirname, '..')
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
const files = listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
const sources = files.filter((file) => /^(src|simulator|certs|bench)\/.*\.ts$/u.test(file))
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** Each part of the source and the parts it may import; anything else is a break of the layering. */
const layers: Record<string, readonly string[]> = {
  'src/kmip/ttlv-codec': [],
  'src/kmip/model': ['ttlv-codec'],
  'src/crypto': ['src/kmip/model'],
  'src/keystore': ['src/crypto', 'src/kmip/model', 'ttlv-codec'],
  'src/access': ['src/keystore', 'src/crypto', 'src/kmip/model'],
  'src/kmip/operations': [
    'src/keystore',
    'src/access',
    'src/crypto',
    'src/kmip/model',
    'ttlv-codec',
  ],
  'src/kmip/server': ['src/kmip/operations', 'src/access', 'src/kmip/model', 'ttlv-codec'],
  'src/kmip/client': ['src/kmip/model', 'ttlv-codec'],
  'src/exchange': [
    'src/kmip/operations',
    'src/kmip/client',
    'src/kmip/model',
    'src/keystore',
    'src/access',
    'src/crypto',
    'ttlv-codec',
  ],
  'src/push': [
    'src/kmip/operations',
    'src/kmip/client',
    'src/kmip/model',
    'src/keystore',
    'src/access',
    'src/crypto',
    'ttlv-codec',
  ],
  'src/admin': ['src/keystore', 'src/access', 'src/crypto'],
  'src/cli': [
    'src/admin',
    'src/exchange',
    'src/push',
    'src/keystore',
    'src/access',
    'src/crypto',
    'src/kmip/client',
    'src/kmip/model',
    'ttlv-codec',
    'src/app.ts',
    'src/initialise.ts',
    'src/master-keys.ts',
    'src/restore.ts',
  ],
  simulator: ['src/kmip/client', 'src/kmip/model', 'ttlv-codec'],
}

/** Small files at the top of src that every part but the codec and the model may use. */
const commons = [
  'src/durable-files.ts',
  'src/errors.ts',
  'src/log.ts',
  'src/config.ts',
  'src/setting-kinds.ts',
  'src/nearest.ts',
  'src/out-file.ts',
  'src/presence.ts',
  'src/shell-word.ts',
]

/** Runtime modules that only some parts may touch. */
const guarded: Record<string, RegExp> = {
  'node:crypto':
    /^(src\/crypto\/|certs\/|simulator\/drive|bench\/|src\/kmip\/server\/(respond|http-session)\.ts)/u,
  'node:tls': /^(src\/kmip\/(server|client)\/|bench\/)/u,
  'node:http': /^src\/kmip\/server\/http-/u,
  'node:https': /^$/u,
  'node:sqlite': /^src\/keystore\/(sqlite-driver|serve-lock)\.ts|^bench\//u,
  pg: /^src\/keystore\/postgres-/u,
}

function layerOf(path: string): string | undefined {
  return Object.keys(layers)
    .filter((layer) => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0]
}

function importsOf(file: string): string[] {
  return [
    ...textOf(file).matchAll(
      /^(?:import|export)[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gmu,
    ),
  ].map((found) => (found[1] ?? found[2] ?? found[3])!)
}

test('every part imports only what its layer allows', () => {
  const wrong: string[] = []
  for (const file of sources) {
    const layer = layerOf(file)
    if (layer === undefined) continue
    for (const specifier of importsOf(file)) {
      const target = specifier.startsWith('.')
        ? normalize(join(dirname(file), specifier))
        : specifier
      const allowedParts = [layer, ...layers[layer]!]
      const isOurs = specifier.startsWith('.') || specifier === 'ttlv-codec'
      const fine =
        !isOurs ||
        allowedParts.some((part) => target === part || target.startsWith(`${part}/`)) ||
        (commons.includes(target) &&
          !layer.startsWith('src/kmip/ttlv-codec') &&
          layer !== 'src/kmip/model')
      if (!fine) wrong.push(`${file} imports ${target}`)
    }
  }
  expect(wrong).toEqual([])
})

test('the codec imports nothing from the runtime, so that it works in a browser', () => {
  const codec = sources.filter((file) => file.startsWith('src/kmip/ttlv-codec/'))
  expect(codec.length).toBeGreaterThan(10)
  expect(codec.filter((file) => importsOf(file).some((name) => name.startsWith('node:')))).toEqual(
    [],
  )
})

test('cryptography, TLS and SQL have one home each', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter((name) => name in guarded && !guarded[name]!.test(file))
      .map((name) => `${file} imports ${name}`),
  )
  expect(wrong).toEqual([])
})

test('files get their names in one place, which syncs content and directory', () => {
  // A server's state that need not outlast it; a bundle where there are no links, and the last step of a building, which sync by themselves.
  const others =
    /^src\/(durable-files|admin\/server-state|exchange\/bundle-writer|keystore\/data-directory)\.ts$/u
  const isNaming = /\brename(Sync)?\(/u
  const wrong = sources.filter(
    (file) => file.startsWith('src/') && !others.test(file) && isNaming.test(textOf(file)),
  )
  expect(wrong).toEqual([])
})

test('no file imports an index.ts of its own folder', () => {
  const wrong = sources.filter(
    (file) =>
      importsOf(file).includes('./index.ts') && !/operations\/(?:batch|attempt)\.ts$/u.test(file),
  )
  expect(wrong).toEqual([])
})

/** Files that are a table of rows: their length says nothing about their difficulty. */
const tables = [
  'src/kmip/model/enumerations.ts',
  'src/kmip/model/tags.ts',
  'src/kmip/model/attributes.ts',
]

test('source files stay under 400 lines, tables of rows excepted', () => {
  const long = sources
    .filter((file) => !tables.includes(file))
    .map((file) => [file, textOf(file).split('\n').length] as const)
    .filter(([, lines]) => lines > 400)
  expect(long).toEqual([])
})

test('every operation of the payload table has a file that the list names', () => {
  expect(Object.keys(operations).sort()).toEqual(Object.keys(payloads).sort())
  for (const name of Object.keys(operations)) {
    const file = `src/kmip/operations/${name.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/gu, '-').toLowerCase()}.ts`
    expect(files, file).toContain(file)
    expect(operations[name as keyof typeof operations].name).toBe(name)
  }
})

test('no private key, download address or trace of a workplace is in the repository', () => {
  const wrong = files
    .filter((file) => !file.endsWith('.test.ts'))
    .filter((file) =>
      /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40}|"resolved": "http/u.test(
        textOf(file),
      ),
    )
  expect(wrong).toEqual([])
})

test('no comment marks work as unfinished', () => {
  const wrong = sources.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b/u.test(textOf(file)))
  expect(wrong).toEqual([])
})
