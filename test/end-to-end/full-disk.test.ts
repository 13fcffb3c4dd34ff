// A server whose disk fills up: new keys are refused and kept ones handed out from the reserve, on record; then
// nothing is handed out; and with room again everything goes on by itself. A preloaded library makes the folder
// small, which needs a C compiler.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readKit } from '../../simulator/kit.ts'
import { connect } from '../../src/kmip/client/client.ts'
import { hasCompiler } from '../faults/unsynced.ts'
import { startKeyreel } from '../fixtures/keyreel.ts'
import { tapeKey } from '../fixtures/responder.ts'

const source = join(import.meta.dirname, '../faults/small.c')
const disk = 8 * 2 ** 20
const reserve = 2 ** 20

describe.skipIf(!hasCompiler())('a server on a disk that fills up', () => {
  test(
    'hands out the keys that it has, refuses new ones, and goes on',
    { timeout: 120_000 },
    async () => {
      const scratch = mkdtempSync(join(tmpdir(), 'keyreel-full-'))
      onTestFinished(() => rmSync(scratch, { recursive: true }))
      const [live, library] = [join(scratch, 'live'), join(scratch, 'small.so')]
      mkdirSync(live)
      execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
      const data = join(live, 'data')
      const small = { LD_PRELOAD: library, FAULTS_LIVE: live, FAULTS_SIZE: `${disk}` }
      const env = { ...small, KEYREEL_DISK_RESERVE: '1MiB' }
      await using server = await startKeyreel({ data, env })
      const kit = await readKit((await server.enrol('alpha')).directory)
      const { ca, certificate: cert, key } = kit
      const { host, port } = server
      const client = await connect({ host, port, ca, cert, key, reconnect: { attempts: 1 } })
      onTestFinished(() => client.close())
      const create = (name: string) =>
        client.call('Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(name) })
      const first = await create('first')
      const get = () => client.call('Get', { UniqueIdentifier: first.UniqueIdentifier })
      const kept = await get()

      const file = join(data, 'reserve')
      await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true)
      expect(statSync(file).size).toBe(reserve)
      const used = execFileSync('du', ['-sb', '--apparent-size', data], { encoding: 'utf8' })
      writeFileSync(join(live, 'ballast'), Buffer.alloc(disk - parseInt(used, 10) - 200_000))
      await expect(fill(create)).rejects.toThrow(/disk/)
      expect(existsSync(file)).toBe(false)
      for (let at = 0; at < 20; at++) expect(await get()).toEqual(kept)
      await expect(create('later')).rejects.toThrow(/disk/)
      expect(server.log()).toContain('its reserve is given back')
      const status = await server.cli('status')
      expect(status.stdout).toMatch(/^disk +full .*: new keys are refused$/m)

      // Once it is used up, nothing is handed out without its record.
      await expect(fill(get)).rejects.toThrow(/nothing is recorded/)
      expect(server.log()).toContain('its reserve used up')

      rmSync(join(live, 'ballast'))
      await expect
        .poll(() => create('back').then(Boolean, () => false), { timeout: 20_000, interval: 500 })
        .toBe(true)
      expect(await get()).toEqual(kept)
      const verified = await server.cli('audit', 'verify')
      expect(verified).toMatchObject({ status: 0 })
    },
  )
})

/** Asks again and again, until it is refused. */
async function fill(ask: (name: string) => Promise<unknown>): Promise<never> {
  for (let at = 0; ; at++) await ask(`filling ${at}`)
}
