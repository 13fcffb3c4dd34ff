// A disk that is full before anything is opened: what is there can be looked at, and a server starts on its reserve.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeServerState } from '../../src/admin/server-state.ts'
import { runKeyreel, startKeyreel } from '../fixtures/keyreel.ts'

/** Mounts a small file system of its own, which needs root, and more than root in a container. */
function mounted(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'keyreel-small-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', path], { stdio: 'ignore' })
  } catch (error) {
    rmSync(path, { recursive: true })
    throw error
  }
  const unmount = () => {
    execFileSync('umount', ['-l', path])
    rmSync(path, { recursive: true })
  }
  return { path, [Symbol.dispose]: unmount }
}

function mayMount(): boolean {
  try {
    mounted()[Symbol.dispose]()
    return true
  } catch {
    return false
  }
}

function smallDisk(): string {
  const disk = mounted()
  onTestFinished(() => disk[Symbol.dispose]())
  return disk.path
}

function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(join(disk, 'fill'), Buffer.alloc(bavail * bsize, 1))
  expect(statfsSync(disk).bavail).toBe(0)
}

describe.skipIf(!mayMount())('on a disk that is full, where one may be mounted', () => {
  test('commands look at what is there, and what would be kept is refused', async () => {
    const disk = smallDisk()
    const data = join(disk, 'data')
    await runKeyreel(['init', '--host', 'localhost', '--data', data])
    fill(disk)
    for (const words of [['key', 'list'], ['audit', 'verify'], ['status']]) {
      const { stderr, status } = await runKeyreel([...words, '--data', data])
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    }
    const checked = await runKeyreel(['doctor', '--data', data, '--json'])
    expect(JSON.parse(checked.stdout)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ name: 'database', status: 'ok' }),
        expect.objectContaining({ name: 'disk', status: 'failed' }),
      ]) as unknown,
    })
    const made = await runKeyreel(['group', 'set', 'default', 'approval=required', '--data', data])
    expect(made.status).toBe(1)
    expect(made.stderr).toContain('no space left to write')
  })

  test('a server gives its reserve back and serves, or says that there is no space', async () => {
    const disk = smallDisk()
    const data = join(disk, 'data')
    await runKeyreel(['init', '--host', 'localhost', '--data', data])
    const without = join(disk, 'without')
    await runKeyreel(['init', '--host', 'localhost', '--data', without])
    const first = await startKeyreel({ data, env: { KEYREEL_DISK_RESERVE: '1MiB' } })
    while (!existsSync(join(data, 'reserve'))) await first.cli('status')
    expect(await first.stop()).toBe(0)
    fill(disk)
    const none = await runKeyreel(['serve', '--listen', '127.0.0.1:0', '--data', without])
    expect(none.status).toBe(1)
    expect(none.stderr).toContain('no space left to write')
    const second = await startKeyreel({ data, env: { KEYREEL_DISK_RESERVE: '1MiB' } })
    expect(second.log()).toContain('the disk is full: its reserve is given back')
    expect(existsSync(join(data, 'reserve'))).toBe(false)
    expect((await second.cli('key', 'list')).status).toBe(0)
    expect(await second.stop()).toBe(0)
  })

  test('no half-written note of a server stays', async () => {
    const disk = smallDisk()
    fill(disk)
    const contacts = Array.from({ length: 99 }, (_, at) => ({
      ...{ client: `library ${at}`, connections: 1, lastContact: 1 },
    }))
    const state = { pid: 1, kmip: 'localhost:1', started: 1, contacts, journals: [] }
    await expect(writeServerState(disk, state)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(readdirSync(disk)).toEqual(['fill'])
  })
})
