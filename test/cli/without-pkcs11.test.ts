// pkcs11js is an optional package: where it could not be compiled, tokens are one clear error and all else works.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runKeyreel } from '../fixtures/keyreel.ts'

test('without the optional package a token is one clear error, and a keystore without token works', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-without-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const hooks = join(folder, 'hooks.mjs')
  writeFileSync(
    hooks,
    `import { registerHooks } from 'node:module'
     registerHooks({
       resolve(specifier, context, next) {
         if (specifier === 'pkcs11js') throw new Error('it is not installed')
         return next(specifier, context)
       },
     })`,
  )
  const env = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: `--import=${hooks}` }
  const data = join(folder, 'data')
  const init = ['init', '--data', data, '--host', 'localhost']
  const token = ['--master-key', 'pkcs11', '--pkcs11-module', '/usr/lib/any.so']
  const refused = await runKeyreel([...init, ...token], { env })
  expect(refused).toMatchObject({ status: 11, stdout: '' })
  expect(refused.stderr).toMatch(
    /^error: the package pkcs11js is not installed, or could not be compiled\nhint: .*npm ci/,
  )
  expect(existsSync(data)).toBe(false)
  expect(await runKeyreel(init, { env })).toMatchObject({ status: 0 })
  expect(await runKeyreel(['status', '--data', data], { env })).toMatchObject({ status: 0 })
})
