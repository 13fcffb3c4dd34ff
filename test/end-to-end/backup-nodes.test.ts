// Two nodes on one PostgreSQL: a scheduled backup is made once, by the node that leads, and by the other once that is gone.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { startPostgres, withoutPostgres } from '../fixtures/postgres.ts'
import { WaitingServer } from '../fixtures/waiting-server.ts'

const scratch = mkdtempSync(join(tmpdir(), 'keyreel-backup-nodes-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const place = (name: string): string => join(scratch, name)
const env = { ...process.env, NO_COLOR: '1', KEYREEL_DISK_RESERVE: '64KiB' }
const made = /a backup was made and verified/

describe.skipIf(withoutPostgres())('two nodes', () => {
  test('make a scheduled backup once', { timeout: 180_000 }, async () => {
    const database = await startPostgres()
    const url = await database.fresh()
    const shared = ['--database', url, '--master-key-file', place('master.key')]
    const cli = async (node: string, ...words: string[]) => {
      const line = [...words, '--data', place(node), ...shared]
      const { status, stdout, stderr } = await runKeyreel(line, { env })
      expect(status, `${words.join(' ')}: ${stderr}${stdout}`).toBe(0)
      return stdout
    }
    for (const node of ['a', 'b']) await cli(node, 'init', '--node', node, '--host', 'localhost')
    const shares = ['--threshold', '2', '--shares', '3', '--out', place('shares')]
    await cli('a', 'recovery', 'setup', ...shares)
    mkdirSync(place('safe'))
    const [a, b] = ['a', 'b'].map((node) => new WaitingServer(env, place(node), ...shared)) as [
      WaitingServer,
      WaitingServer,
    ]
    await Promise.all([a.says(/^ready/m), b.says(/^ready/m)])
    await cli('b', 'backup', 'schedule', 'set', 'nightly', '--to', place('safe'))
    const first = await Promise.race([a.says(made).then(() => a), b.says(made).then(() => b)])
    const second = first === a ? b : a
    expect(readdirSync(place('safe'))).toHaveLength(1)
    expect(second.err).not.toMatch(/a backup is being made/)

    expect(await first.stop()).toBe(0)
    await cli('a', 'backup', 'schedule', 'set', 'other', '--to', place('safe'))
    await second.says(made)
    const { backups } = JSON.parse(await cli('b', 'backup', 'list', '--json')) as {
      backups: { schedule: string; verified: string | null }[]
    }
    expect(backups.map(({ schedule }) => schedule).toSorted()).toEqual(['nightly', 'other'])
    expect(backups.every(({ verified }) => verified !== null)).toBe(true)
    expect(await cli('a', 'audit', 'verify')).toMatch(/^all is well/)
    expect(await second.stop()).toBe(0)
    await database.stop()
  })
})
