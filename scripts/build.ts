/**
 * `npm run build`: the two packages as they are published, under dist/: plain JavaScript with type
 * declarations, so that they run under node_modules, where Node does not strip types. Without source maps: the sources
 * are not in them.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')

interface Manifest {
  [field: string]: unknown
  name: string
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
}

function compile(project: string, ...args: string[]): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', project, ...args], { cwd: root, stdio: 'inherit' })
}

/** What users of the package import, by the file that is compiled. */
function entry(file: string) {
  return { types: `./${file}.d.ts`, default: `./${file}.js` }
}

/** The entries of a field of package.json whose names are wanted. */
function only(field: unknown, wanted: (name: string) => boolean) {
  return Object.fromEntries(Object.entries(field as object).filter(([name]) => wanted(name)))
}

function publish(folder: string, fields: Manifest, files: readonly [string, string][]): void {
  const target = join(dist, folder)
  mkdirSync(target, { recursive: true })
  for (const [from, to] of files) cpSync(join(root, from), join(target, to), { recursive: true })
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(fields, null, 2)}\n`)
}

rmSync(dist, { recursive: true, force: true })

compile('src/kmip/ttlv-codec', '--outDir', join(dist, 'ttlv-codec'))
const { scripts: codecScripts, ...codec } = manifest('src/kmip/ttlv-codec/package.json')
publish('ttlv-codec', { ...codec, exports: { '.': entry('index') } }, [
  ['src/kmip/ttlv-codec/README.md', 'README.md'],
  ['LICENSE', 'LICENSE'],
])

compile('tsconfig.build.json')
const { workspaces, scripts, devDependencies, ...whole } = manifest('package.json')
void [codecScripts, workspaces, scripts, devDependencies]
const { dependencies, optionalDependencies, allowScripts, ...own } = whole
const dependent = {
  // The client's declarations speak of Buffer and node:tls; whoever compiles against them must find these.
  dependencies: { ...only(dependencies, () => true), '@types/node': '>=24' },
  // The node-* packages are the Node of a clone.
  optionalDependencies: only(optionalDependencies, (name) => name === 'pkcs11js'),
  allowScripts: only(allowScripts, (name) => name === 'pkcs11js'),
}
const programs = ['src/cli/keyreel.js', 'simulator/keyreel-simulator.js']
publish(
  'keyreel',
  { ...own, ...dependent, exports: { './client': entry('src/kmip/client/client') } },
  [
    ...programs.map((file): [string, string] => [file, file]),
    ['src/keystore/migrations', 'src/keystore/migrations'],
    ['scripts/package-readme.md', 'README.md'],
    ['LICENSE', 'LICENSE'],
  ],
)
for (const program of programs.map((file) => join(dist, 'keyreel', file))) {
  const text = readFileSync(program, 'utf8')
    .replace("import('./main.ts')", "import('./main.js')")
    .replace(/'hint: npx .*'/, String.raw`'hint: install Node 24.12 or newer\n'`)
  writeFileSync(program, text)
}
// TypeScript 6 includes no types of itself.
const client = join(dist, 'keyreel/src/kmip/client/client.d.ts')
writeFileSync(client, `/// <reference types="node" />\n${readFileSync(client, 'utf8')}`)
console.log('built dist/ttlv-codec and dist/keyreel')
