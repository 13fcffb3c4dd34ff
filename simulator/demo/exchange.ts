// `npm run demo:exchange`: the seven steps by which a tape written at one site is read at another, with
// two real keyreel servers and simulated libraries (scenario T-10). Leaves nothing behind.

import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { dialectNamed } from '../dialects.ts'
import { readKit } from '../kit.ts'
import { paintFor } from '../reports.ts'
import { tapesTravel } from '../scenarios/other-site.ts'
import { Stage } from '../stage.ts'
import { endWithReader, takeNoArguments } from './arguments.ts'
import { keyreel, KeyreelProcess, killAll } from './keyreel-process.ts'
import { narrator } from './narrator.ts'

takeNoArguments('demo:exchange', [
  'A tape written at one site is read at another: three real keyreel servers exchange keys in files,',
  'simulated libraries write and read the tapes. Needs no network and leaves nothing behind. Ends with',
  '0 when every step is proven, with 1 otherwise.',
])

const colour = process.stdout.isTTY === true && !process.env['NO_COLOR']
const paint = paintFor(colour)
const print = (line: string) => void process.stdout.write(`${line}\n`)
const voice = narrator(print, colour)
const began = performance.now()
const directory = await mkdtemp(join(tmpdir(), 'keyreel-demo-'))

/** After a signal, or when nobody reads any more, nothing that fails is a finding. */
let interrupted = false

async function cleanUp(): Promise<void> {
  await killAll()
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => {
    interrupted = true
    void cleanUp().finally(() => process.exit(status))
  })
endWithReader(() => {
  interrupted = true
  return cleanUp()
})

/** A site: its key server, and a library that is enrolled there. */
interface Site {
  readonly name: string
  readonly data: string
  readonly stage: Stage
  readonly server: KeyreelProcess
  /** Runs a command at the site, told as it would be typed. */
  run(...words: readonly string[]): Promise<string>
}

async function openSite(name: string): Promise<Site> {
  const data = join(directory, `${name}-data`)
  await keyreel('init', '--host', '127.0.0.1', '--data', data)
  const server = await KeyreelProcess.start(data)
  const kit = join(directory, `${name}-kit`)
  await keyreel('library', 'add', 'alpha', '--out', kit, '--data', data)
  const scratch = join(directory, `${name}-tapes`)
  await mkdir(scratch)
  const stage = new Stage({
    servers: [{ host: server.host, port: server.port }],
    kits: [await readKit(kit)],
    dialect: dialectNamed('P-strict21'),
    scratch,
  })
  const run = (...words: readonly string[]) => {
    const shown = words.map((word) => word.replace(`${directory}/`, ''))
    voice.command(`keyreel ${shown.join(' ')}      # at site ${name}`)
    return keyreel(...words, '--data', data)
  }
  return { name, data, stage, server, run }
}

async function tellStory(): Promise<void> {
  voice.step('Three sites, each with a key server of its own')
  const a = await openSite('A')
  const b = await openSite('B')
  const c = await openSite('C')
  voice.proven('each made its exchange identity and exchange keys with its data directory')
  try {
    await exchange(a, b, c)
  } finally {
    for (const { stage } of [a, b, c]) await stage.close()
  }
  for (const { server, name } of [a, b, c])
    assert.equal(await server.stop(), 0, `server ${name} ends well`)
}

async function exchange(a: Site, b: Site, c: Site): Promise<void> {
  const file = (name: string) => join(directory, name)
  voice.step('Libraries at site A write tapes, LTO-4 and LTO-8')
  await tapesTravel(
    {
      source: a.stage,
      destination: b.stage,
      async carryForeign() {
        voice.step('Somebody sends B a bundle that A made for C')
        await trust(c, a, file('c.pem'))
        await trust(a, c, file('a-for-c.pem'))
        await trust(a, b, file('a.pem'))
        await a.run('exchange', 'export', '--peer', 'C', '--all', '--out', file('for-c.keyreel'))
        const refused = await b
          .run('exchange', 'import', file('for-c.keyreel'))
          .then(() => undefined, String)
        assert.match(refused ?? '', /made for another server/)
        voice.proven('B cannot open it, and says so')
      },
      async carry(barcodes) {
        voice.step('Steps 1 to 3: B hands out its Encryption Certificate, A compares and trusts it')
        await trust(b, a, file('b.pem'))
        voice.step('Steps 4 and 5: A exports the keys of those cartridges for B; the file is sent')
        const chosen = barcodes.flatMap((barcode) => ['--barcode', barcode])
        const out = file('for-b.keyreel')
        voice.show(await a.run('exchange', 'export', '--peer', 'B', ...chosen, '--out', out))
        await copyFile(out, file('mailed.keyreel'))
        voice.step('Step 6: B imports')
        voice.show(await b.run('exchange', 'inspect', file('mailed.keyreel')))
        const report = await b.run('exchange', 'import', file('mailed.keyreel'))
        voice.show(report)
        assert.match(report, new RegExp(`new +${barcodes.length}\n`))
        const again = await b.run('exchange', 'import', file('mailed.keyreel'))
        assert.match(again, new RegExp(`already here +${barcodes.length}\n`))
        voice.proven('every key is new; imported again, nothing changes')
        voice.step('Step 7: the libraries at site B read the tapes')
      },
    },
    {
      written: (barcode, bytes) =>
        voice.proven(`${barcode} is written at A, under an identifier of ${bytes} bytes`),
      unreadable: (when) => voice.proven(`B reads none of the tapes ${when}: sense 7/74/01`),
      read: (barcode) => voice.proven(`${barcode} reads at B, byte for byte`),
    },
  )
  voice.step('Every copy is accounted for')
  const shown = await a.run('cartridge', 'show', 'KR1003L8')
  voice.show(shown.split('\n').slice(0, 8).join('\n'))
  assert.match(shown, /exports +(?:.*, )?B \d{4}-\d\d-\d\d/)
  voice.show(await b.run('exchange', 'log'))
  voice.proven('A knows which copies went where, B keeps the report of every import')
}

/** `to` trusts the certificate of `from` after comparing its fingerprint. */
async function trust(from: Site, to: Site, file: string): Promise<void> {
  const shown = JSON.parse(
    await from.run('exchange', 'certificate', 'export', '--out', file, '--json'),
  ) as { certificate: { fingerprint: string } }
  const { fingerprint } = shown.certificate
  const peer = ['--peer', from.name, '--fingerprint', fingerprint]
  await to.run('exchange', 'certificate', 'import', file, ...peer)
}

print(paint('bold', 'keyreel demo: a tape written at one site is read at another'))
print(
  'The key servers are real, and so are the files between them. Libraries and drives are simulated.',
)
try {
  await tellStory()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  print(`\n${paint('green', `${voice.proofs} proofs in ${voice.steps} steps, ${seconds} s.`)}`)
} catch (error) {
  process.exitCode = 1
  if (!interrupted) complain(error)
} finally {
  await cleanUp()
}

function complain(error: unknown): void {
  print(`   ${paint('red', '✗')} ${error instanceof Error ? error.message : String(error)}`)
  process.stderr.write(`error: the demo failed in step ${voice.steps}\n`)
  process.stderr.write(`hint: please report it with the lines above and below\n`)
  if (error instanceof Error) process.stderr.write(`${error.stack}\n`)
}
