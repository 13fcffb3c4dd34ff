// A whole older database put back in the place of the newest: it verifies by itself; a server that keeps a
// checkpoint elsewhere does not start on it, and the last checkpoint that went to syslog shows it too.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runKeyreel, startKeyreel } from '../fixtures/keyreel.ts'
import { chance, folder, type Outcome, type Plan } from './ground.ts'

/** Servers started on older copies of their directory. */
export async function rollbacks({ form, seed, say }: Plan): Promise<Outcome> {
  const rounds = form === 'short' ? 2 : 50
  const random = chance(seed)
  using scratch = folder()
  const data = join(scratch.path, 'data')
  const checkpoint = join(scratch.path, 'keyreel.checkpoint')
  await using syslog = await receiveCheckpoints()
  const args = ['--checkpoint', checkpoint, '--syslog', syslog.url]
  const failures: string[] = []
  const cli = async (...words: string[]) => {
    const { status, stderr } = await runKeyreel([...words, '--data', data])
    if (status !== 0) failures.push(`${words.join(' ')}: ${stderr}`)
  }
  const serveOnce = async () => void (await (await startKeyreel({ data, args })).stop())
  await cli('init', '--host', 'localhost')
  await serveOnce()
  let noticed = 0
  let noticedBySyslog = 0
  for (let round = 1; round <= rounds; round++) {
    const earlier = join(scratch.path, 'earlier')
    cpSync(data, earlier, { recursive: true })
    const name = `lib${round}`
    await cli('library', 'add', name, '--out', join(scratch.path, name))
    if (random(2) === 0) await cli('library', 'revoke', name, '--yes')
    await serveOnce()
    const newest = join(scratch.path, 'newest')
    cpSync(data, newest, { recursive: true })
    replace(data, earlier)
    await cli('audit', 'verify')
    try {
      const server = await startKeyreel({ data, args })
      failures.push(`round ${round}: a server started on an older database`)
      await server.stop()
    } catch (error) {
      if (String(error).includes('is not what it was at the checkpoint')) noticed++
      else failures.push(`round ${round}: ${String(error)}`)
    }
    const message = join(scratch.path, 'from-syslog.json')
    writeFileSync(message, syslog.newest())
    const compared = await runKeyreel(['audit', 'verify', '--data', data, '--checkpoint', message])
    if (compared.status === 1 && compared.stdout.includes('a checkpoint knows record'))
      noticedBySyslog++
    else failures.push(`round ${round}: ${compared.status} ${compared.stdout} ${compared.stderr}`)
    replace(data, newest)
    await serveOnce()
    if (round % 10 === 0) say(`${round} rollbacks, ${noticed} noticed`)
  }
  return { figures: { rollbacks: rounds, noticed, noticedBySyslog }, failures }
}

/** A receiver that keeps the newest checkpoint. */
async function receiveCheckpoints() {
  const receiver = createSocket('udp4')
  let newest = ''
  receiver.on('message', (message) => {
    // Behind the byte order mark (RFC 5424 §6.4).
    newest = message.toString().split('\ufeff')[1] ?? ''
  })
  receiver.bind(0, '127.0.0.1')
  await once(receiver, 'listening')
  return {
    url: `udp://127.0.0.1:${receiver.address().port}`,
    newest: () => newest,
    async [Symbol.asyncDispose]() {
      receiver.close()
      await once(receiver, 'close')
    },
  }
}

function replace(data: string, by: string): void {
  rmSync(data, { recursive: true })
  cpSync(by, data, { recursive: true })
  rmSync(by, { recursive: true })
}
