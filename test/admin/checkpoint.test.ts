// Checkpoints: a store that is not what it was is noticed from outside, and nobody can make one but the server.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CheckpointKeeper, type KeeperOptions } from '../../src/admin/checkpoint-keeper.ts'
import { checkpointText, readCheckpoint, type CheckpointFile } from '../../src/admin/checkpoint.ts'
import { syslogMessage } from '../../src/admin/syslog.ts'
import { hasSigned, signerOf } from '../../src/crypto/detached-signatures.ts'
import { makeExchangeIdentity } from '../../src/crypto/encryption-certificates.ts'
import type { Store } from '../../src/keystore/store.ts'
import {
  clock,
  create,
  dataDirectory,
  opened,
  tamper,
  temporaryFolder,
} from '../keystore/sample.ts'

const issuer = await makeExchangeIdentity(clock)
const identity = issuer.certificate
const signer = signerOf(issuer.privateKey)

interface Line {
  level: string
  fields: Record<string, unknown>
  text: string
}

function keeperOf(store: Store, options: Partial<KeeperOptions> = {}) {
  const lines: Line[] = []
  const tell = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, fields: fields as Line['fields'], text })
  const log = { info: tell('info'), error: tell('error') }
  const keeper = new CheckpointKeeper(store, {
    signer: () => Promise.resolve({ identity, signer }),
    log,
    ...options,
  })
  return { keeper, lines }
}

const content = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as CheckpointFile

/** A directory with some records and a checkpoint of it elsewhere. */
async function kept() {
  const directory = await dataDirectory()
  const file = join(temporaryFolder(), 'keyreel.checkpoint')
  const store = await opened(directory)
  await create(store, 1)
  const { keeper, lines } = keeperOf(store, { file })
  await keeper.start()
  await keeper.run()
  return { directory, file, store, keeper, lines }
}

/** A directory whose database is that of before object 2 was made, while the checkpoint knows of it. */
async function rolledBack() {
  const { directory, file, store, keeper } = await kept()
  await store.close()
  const earlier = join(temporaryFolder(), 'earlier')
  cpSync(directory, earlier, { recursive: true })
  const second = await opened(directory)
  await create(second, 2)
  await keeperOf(second, { file }).keeper.run()
  await second.close()
  return { earlier, file, keeper }
}

describe('the file', () => {
  test('holds the heads, signed by the server so that anybody can check it', async () => {
    const { file, store, lines } = await kept()
    const checkpoint = content(file)
    expect(checkpoint).toMatchObject({ store: store.id, time: Number(clock), signer: signer.pin })
    expect(checkpoint.chains.map(({ chain }) => chain)).toEqual(['serve'])
    const signature = Buffer.from(checkpoint.signature!, 'base64')
    expect(hasSigned(identity, checkpointText(checkpoint), signature)).toBe(true)
    expect((await store.auditVerify({ checkpoints: checkpoint.chains })).problems).toEqual([])
    expect(lines).toMatchObject([{ level: 'info' }])
  })

  test('is written again only when something was recorded since', async () => {
    const { file, store, keeper } = await kept()
    const before = content(file)
    rmSync(file)
    await keeper.run()
    expect(() => content(file)).toThrow('ENOENT')
    await create(store, 2)
    await keeper.run()
    expect(content(file).chains[0]!.number).toBe(before.chains[0]!.number + 1)
  })

  test.each([
    ['time', (checkpoint: CheckpointFile) => ({ ...checkpoint, time: 1 })],
    [
      'a number',
      (checkpoint: CheckpointFile) => ({
        ...checkpoint,
        chains: [{ ...checkpoint.chains[0]!, number: 1 }],
      }),
    ],
    ['a chain left out', (checkpoint: CheckpointFile) => ({ ...checkpoint, chains: [] })],
  ])('is refused when somebody changed %s', async (_, change) => {
    const { file, store } = await kept()
    writeFileSync(file, JSON.stringify(change(content(file))))
    await expect(keeperOf(store, { file }).keeper.start()).rejects.toMatchObject({
      code: 'checkpoint-changed',
    })
  })

  test('of a release that did not sign them yet is still compared', async () => {
    const { file, store } = await kept()
    const { store: id, time, chains } = content(file)
    const unsigned = { store: id, time, chains }
    writeFileSync(file, JSON.stringify(unsigned))
    expect(await readCheckpoint(file, store.id, identity)).toEqual(unsigned)
    await keeperOf(store, { file }).keeper.start()
  })

  test('that cannot be read is an alarm and does not stop the service', async () => {
    const { store } = await kept()
    const folder = temporaryFolder()
    const { keeper, lines } = keeperOf(store, { file: folder })
    await keeper.start()
    await keeper.run()
    expect(lines.filter(({ fields }) => fields.alarm)).toHaveLength(3)
  })
})

describe('an older database put back whole', () => {
  test('verifies by itself, and is refused at the start by the checkpoint', async () => {
    const { earlier, file } = await rolledBack()
    const store = await opened(earlier)
    expect((await store.auditVerify()).problems).toEqual([])
    await expect(keeperOf(store, { file }).keeper.start()).rejects.toMatchObject({
      code: 'rolled-back',
      message: expect.stringContaining('the chain ends at') as string,
    })
  })

  test('that went on since is refused as another way', async () => {
    const { earlier, file } = await rolledBack()
    const store = await opened(earlier)
    await create(store, 7)
    await create(store, 8)
    await expect(keeperOf(store, { file }).keeper.start()).rejects.toMatchObject({
      code: 'rolled-back',
      message: expect.stringContaining('another way') as string,
    })
  })

  test('is an alarm for a server that runs, and the checkpoint is not written over', async () => {
    const { earlier, file } = await rolledBack()
    const before = content(file)
    const store = await opened(earlier)
    const { keeper, lines } = keeperOf(store, { file })
    await keeper.run()
    expect(lines).toMatchObject([
      { level: 'error', fields: { alarm: true, kind: 'audit-truncated' } },
    ])
    expect(content(file)).toEqual(before)
  })
})

test('the end of a chain cut off is refused at the start', async () => {
  const { directory, file, store } = await kept()
  await store.close()
  tamper(directory, `DELETE FROM audit WHERE first = (SELECT max(first) FROM audit)`)
  tamper(directory, 'DELETE FROM objects')
  const again = await opened(directory)
  expect((await again.auditVerify()).problems).toEqual([])
  await expect(keeperOf(again, { file }).keeper.start()).rejects.toMatchObject({
    code: 'rolled-back',
  })
})

test('an end that somebody changed is not signed', async () => {
  const { directory, store, keeper } = await kept()
  await create(store, 2)
  tamper(directory, `UPDATE audit SET body = '[]' WHERE first = (SELECT max(first) FROM audit)`)
  await expect(keeper.run()).rejects.toMatchObject({ code: 'changed' })
})

describe('syslog', () => {
  test('gets the checkpoint over UDP as one RFC 5424 message', async () => {
    const receiver = createSocket('udp4')
    onTestFinished(() => void receiver.close())
    receiver.bind(0, '127.0.0.1')
    await once(receiver, 'listening')
    const received = once(receiver, 'message')
    const store = await opened(await dataDirectory())
    const { keeper } = keeperOf(store, { syslog: `udp://127.0.0.1:${receiver.address().port}` })
    await keeper.run()
    const [message] = (await received) as [Buffer]
    const [, header, text] = /^(<109>1 \S+Z \S+ keyreel \d+ checkpoint - )\ufeff(.*)$/su.exec(
      message.toString(),
    )!
    expect(header).toBeDefined()
    const checkpoint = JSON.parse(text!) as CheckpointFile
    const signature = Buffer.from(checkpoint.signature!, 'base64')
    expect(hasSigned(identity, checkpointText(checkpoint), signature)).toBe(true)
  })

  test('gets it over TCP with its length in front', async () => {
    const chunks: Uint8Array[] = []
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const receiver = createServer((socket) => {
      socket.on('data', (chunk) => chunks.push(Buffer.from(chunk))).on('end', resolve)
    })
    onTestFinished(() => void receiver.close())
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const { port } = receiver.address() as { port: number }
    const store = await opened(await dataDirectory())
    await keeperOf(store, { syslog: `tcp://127.0.0.1:${port}` }).keeper.run()
    await ended
    const all = Buffer.concat(chunks)
    const [, length] = /^(\d+) </.exec(all.toString())!
    expect(all.length).toBe(Number(length) + length!.length + 1)
  })

  test('that is not there is an alarm, and is tried again', async () => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    await new Promise((resolve) => probe.close(resolve))
    const store = await opened(await dataDirectory())
    const { keeper, lines } = keeperOf(store, { syslog: `tcp://127.0.0.1:${port}` })
    await keeper.run()
    await keeper.run()
    expect(lines.map(({ fields }) => fields.alarm)).toEqual([true, true])
  })

  test('gets names of machines in ASCII and texts in UTF-8', () => {
    const message = syslogMessage('checkpoint', 'Ω', new Date(0)).toString()
    expect(message).toMatch(
      /^<109>1 1970-01-01T00:00:00\.000Z [\x21-\x7e]+ keyreel \d+ checkpoint - \ufeffΩ$/u,
    )
  })
})
