// The packages as they are published: built, put under node_modules of an empty project, and used there.
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

t.setTimeout(300_000)

void t.test('the sources are not packed, and it is said what is', async (t) => {
  for (const where of ['.', 'src/kmip/ttlv-codec']) {
    const packed = run('npm', ['pack', '--dry-run', '--offline'], { cwd: join(root, where) })
    const refused = await packed.then(
      () => undefined,
      (error: Error & { stderr: string }) => error.stderr,
    )
    t.match(
      refused,
      /^error: the sources cannot be .*; npm run build, then npm pack \.\/dist\/ttlv-codec \.\/dist\/keyreel$/m,
    )
  }
})

void t.test('the built packages work under node_modules, without TypeScript', async (t) => {
  await run(process.execPath, ['scripts/build.ts'], { cwd: root })
  const project = await mkdtemp(join(tmpdir(), 'keyreel-build-'))
  t.teardown(() => rm(project, { recursive: true, force: true }))
  const modules = join(project, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === 'ttlv-codec' || name === 'keyreel' || name.startsWith('.')) continue
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  for (const name of ['ttlv-codec', 'keyreel']) {
    await cp(join(root, 'dist', name), join(modules, name), { recursive: true })
  }

  const program = `
    import { encode, decode, integer } from 'ttlv-codec'
    import { connect } from 'keyreel/client'
    const bytes = encode(integer, 0x42006a, 2, { version: 0x0201 })
    console.log(decode(integer, 0x42006a, bytes, { version: 0x0201 }), typeof connect)
  `
  await writeFile(join(project, 'use.mjs'), program)
  const used = await run(process.execPath, ['use.mjs'], { cwd: project })
  t.equal(used.stdout, '2 function\n', 'codec and client are importable')

  const typed = `
    import { connect, materialOf, ResultError, type Client } from 'keyreel/client'
    import { version, type VersionText } from 'ttlv-codec'
    const wanted: VersionText = '2.1'
    export async function fetched(ca: string): Promise<Uint8Array> {
      const client: Client = await connect({ host: 'kms', ca, versions: [wanted] })
      const created = await client.call('Create', { ObjectType: 'SymmetricKey', Attributes: [] })
      const id: string = created.UniqueIdentifier
      // @ts-expect-error there is no such operation
      await client.call('Invent', {}).catch((error: ResultError) => error.reason)
      // @ts-expect-error there is no such field
      await client.call('Get', { Identifier: id, at: version(wanted) })
      return materialOf(await client.call('Get', { UniqueIdentifier: id }))
    }
  `
  await writeFile(join(project, 'use.mts'), typed)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext']
  const checked = run(process.execPath, [tsc, ...strict, 'use.mts'], { cwd: project })
  await t.resolves(checked, 'their declarations stand on their own, and are strict')

  const manifest = JSON.parse(
    await readFile(join(modules, 'keyreel/package.json'), 'utf8'),
  ) as Record<string, Record<string, unknown>>
  t.ok(manifest['dependencies']?.['@types/node'], 'what the declarations speak of is brought along')
  t.strictSame(Object.keys(manifest['optionalDependencies'] ?? {}), ['pkcs11js'])
  t.strictSame(manifest['allowScripts'], { pkcs11js: true })
  t.notOk(manifest['scripts'])
  for (const name of ['ttlv-codec', 'keyreel']) {
    const files = await readdir(join(modules, name), { recursive: true })
    t.notOk(
      files.some((file) => file.endsWith('.map')),
      'no source map points at what is not there',
    )
    const readme = await readFile(join(modules, name, 'README.md'), 'utf8')
    t.notMatch(readme, /npm (?:ci|start)/)
    t.notMatch(readme, /\]\((?!https:)/, 'nor does a link')
    await t.resolves(
      run('npm', ['pack', '--dry-run', '--offline'], { cwd: join(root, 'dist', name) }),
      `dist/${name} can be packed`,
    )
  }

  const cli = join(modules, 'keyreel/src/cli/keyreel.js')
  const data = join(project, 'data')
  const made = await run(process.execPath, [
    cli,
    'init',
    '--data',
    data,
    '--host',
    'localhost',
    '--json',
  ])
  t.type(JSON.parse(made.stdout), 'object', 'init makes a data directory')
  const status = await run(process.execPath, [cli, 'status', '--data', data, '--json'])
  t.type(JSON.parse(status.stdout), 'object', 'status reads it')

  // A backup is made by a thread whose program is found beside the file that starts it.
  const keyreel = (...words: string[]) => run(process.execPath, [cli, ...words, '--data', data])
  const safe = join(project, 'safe')
  await mkdir(safe)
  await keyreel(
    ...['recovery', 'setup', '--threshold', '2', '--shares', '3', '--out'],
    join(project, 'shares'),
  )
  await keyreel('backup', 'schedule', 'set', 'nightly', '--to', safe)
  const server = spawn(process.execPath, [cli, 'serve', '--data', data, '--listen', '127.0.0.1:0'])
  t.teardown(() => server.kill('SIGKILL'))
  for await (const line of createInterface(server.stderr)) {
    if (/the scheduled backup failed/.test(line)) t.fail(line)
    if (/a backup was made and verified|the scheduled backup failed/.test(line)) break
  }
  t.equal((await readdir(safe)).length, 1, 'a scheduled backup is made')
})
