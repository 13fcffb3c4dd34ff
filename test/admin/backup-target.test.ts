// Places that are no places for the only backup are told from a mount table as Linux shows it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isOnTape, targetWarnings } from '../../src/admin/backup-target.ts'

const mounts = [
  '/dev/sda2 / ext4 rw,relatime 0 0',
  'tmpfs /tmp tmpfs rw 0 0',
  'ltfs:/dev/sg3 /mnt/ltfs fuse rw,user_id=0 0 0',
  'LTFS /mnt/drive-1 fuse.ltfs rw 0 0',
  '/dev/nst1 /mnt/odd\\040name fuse rw 0 0',
  'nas:/export /mnt/safe nfs4 rw 0 0',
  'nas:/other /mnt/ltfs/nas nfs4 rw 0 0',
  '',
].join('\n')

test.each([
  ['/mnt/ltfs/backups/monday.backup', true],
  ['/mnt/drive-1/monday.backup', true],
  ['/mnt/odd name/monday.backup', true],
  ['/dev/st0', true],
  ['/dev/nst0', true],
  ['/dev/nst12a', true],
  ['/dev/tape/by-id/scsi-350', true],
  ['/dev/sg2', true],
  ['/mnt/ltfs/nas/monday.backup', false],
  ['/mnt/ltfs-is-only-a-name/monday.backup', false],
  ['/mnt/safe/monday.backup', false],
  ['/home/st0/monday.backup', false],
  ['/dev/sda', false],
  ['/dev/stdout', false],
])('%s is on a tape: %s', (path, expected) => {
  expect(isOnTape(path, mounts)).toBe(expected)
})

test('an empty mount table says nothing', () => {
  expect(isOnTape('/mnt/ltfs/backup', '')).toBe(false)
})

test('the place is judged as it really is, behind symbolic links', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-target-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'tape'))
  symlinkSync(join(folder, 'tape'), join(folder, 'safe'))
  const table = () => Promise.resolve(`ltfs ${join(folder, 'tape')} fuse.ltfs rw 0 0`)
  const [tape, disk, ...others] = await targetWarnings(join(folder, 'safe', 'b'), folder, table)
  expect(tape).toMatch(/on a tape: if this server keeps the key of that tape/)
  expect(disk).toMatch(/on the disk of the keystore/)
  expect(others).toEqual([])
})
