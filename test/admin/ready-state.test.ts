// What `doctor ready` says of the journals of a server that runs.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readiness } from '../../src/admin/ready-state.ts'
import { writeServerState, type ServerJournal } from '../../src/admin/server-state.ts'
import { dataDirectory, opened } from '../keystore/sample.ts'

const memory = '/dev/shm'
const hasOtherDisk = existsSync(memory) && statSync(memory).dev !== statSync(tmpdir()).dev

function journalIn(folder: string, name: string, more: Partial<ServerJournal> = {}): ServerJournal {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return { path, state: 'current', bytes: 0, ...more }
}

function elsewhere(): string {
  const folder = mkdtempSync(join(memory, 'keyreel-ready-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The finding about a server with these journals. */
async function found(directory: string, journals: ServerJournal[]) {
  const store = await opened(directory, { writer: 'cli' })
  const state = { pid: process.pid, kmip: '127.0.0.1:1', started: 0, contacts: [], journals }
  await writeServerState(directory, state)
  return readiness(store, { directory })
}

test.skipIf(!hasOtherDisk)('a journal on another disk is in order', async () => {
  const directory = await dataDirectory()
  const finding = await found(directory, [journalIn(elsewhere(), 'one')])
  expect(finding).toMatchObject({
    status: 'ok',
    found: expect.stringMatching(/holds everything/) as string,
  })
})

test.skipIf(!hasOtherDisk)('two on one disk are told: both would be lost together', async () => {
  const folder = elsewhere()
  const journals = ['one', 'two'].map((name) => journalIn(folder, name))
  const finding = await found(await dataDirectory(), journals)
  expect(finding.status).toBe('warning')
  expect(finding.found).toContain(
    `two holds everything, 0.0 MiB, but it is on the disk of ${folder}/one`,
  )
})

test('one on the disk of the keystore, one that is away, and one that others may read are told', async () => {
  const directory = await dataDirectory()
  const folder = join(directory, '..')
  const here = await found(directory, [journalIn(folder, 'here')])
  expect(here.found).toContain('but it is on the disk of the keystore')
  const gone = journalIn(folder, 'gone', { state: 'away', reason: 'its disk is full' })
  const away = await found(directory, [journalIn(folder, 'here'), gone])
  expect(away).toMatchObject({ status: 'warning', found: `${gone.path} is away: its disk is full` })
  const open = journalIn(folder, 'open')
  chmodSync(open.path, 0o755)
  expect((await found(directory, [open])).found).toContain('but it is open to others')
})

test('one whose disk went away under a running server is told in words', async () => {
  const directory = await dataDirectory()
  const gone = journalIn(join(directory, '..'), 'unmounted')
  rmSync(gone.path, { recursive: true })
  expect(await found(directory, [gone])).toEqual({
    status: 'warning',
    found: `${gone.path} is away: its folder is not there`,
    remedy: 'mount its disk: the server looks for it every second',
  })
})
