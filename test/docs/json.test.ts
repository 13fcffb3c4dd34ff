// The documents that --json prints have the fields of docs/reference/json.md, all of them and no other.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { jsonOutputs } from '../../scripts/reference/json.ts'
import { startKeyreel } from '../fixtures/keyreel.ts'
import { runKeyreel, scriptTime } from '../cli/script.ts'
import { person } from '../exchange/people.ts'
import { fetchTapeKey, makeTapeKey } from '../cli/tape-keys.ts'

const scratch = mkdtempSync(join(tmpdir(), 'keyreel-json-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const data = join(scratch, 'data')
const key = '11111111'
/** Encryption Certificate of another site. */
const peerFile = join(scratch, 'peer.pem')
/** A bundle from there. */
const incoming = join(scratch, 'incoming')

/** A person who may approve. */
const carol = join(scratch, 'carol')

/** A person with a certificate for encryption. */
const dan = join(scratch, 'dan')

/** A bundle that needs an approval, and what stands for the id of the request until it is known. */
const approved = join(scratch, 'approved')
const request = 'REQUEST'

/** What that site asks us for. */
const incomingRequest = join(scratch, 'incoming-request')

/** The receipt of that site for a bundle of ours. */
const journal = join(scratch, 'journal')
const receipt = join(scratch, 'receipt')

/** Its receipt for a withdrawal of ours, and a withdrawal of its own. */
const withdrawalReceipt = join(scratch, 'withdrawal-receipt')
const incomingWithdrawal = join(scratch, 'incoming-withdrawal')

/** The kit with which that site lets us in, and what stands for its address until it serves. */
const kitFromPeer = join(scratch, 'kit-from-peer')
const address = 'kmips://ADDRESS'

/** Command lines by the words they are described under, in an order that makes sense. */
const lines: readonly (readonly [words: string, ...rest: string[]])[] = [
  ['library add', 'alpha', '--out', join(scratch, 'kit')],
  ['library renew', 'alpha', '--out', join(scratch, 'kit-2')],
  [
    'library credential add',
    'alpha',
    '--username',
    'tape',
    '--password-file',
    join(scratch, 'password'),
  ],
  ['library list'],
  ['library show', 'alpha'],
  ['library revoke', 'alpha', '--dry-run'],
  ['library revoke', 'alpha', '--yes'],
  ['library show', 'alpha'],
  ['library add', 'beta', '--out', join(scratch, 'kit-3')],
  [
    'library listener set',
    'beta',
    '--to',
    '192.0.2.30:5700',
    '--fingerprint',
    'ab'.repeat(32),
    '--kmip',
    '1.4',
  ],
  ['library listener list'],
  ['library listener remove', 'beta'],
  ['group list'],
  ['group show', 'default'],
  ['group set', 'default', 'destroy=30d', 'export=allow', 'ready=1'],
  ['server certificate show'],
  ['server certificate renew'],
  ['status'],
  ['doctor'],
  ['doctor', '--repair', 'audit'],
  ['cartridge list'],
  ['cartridge show', 'KR0001L8'],
  ['key list'],
  ['key hold', key, '--reason', 'an audit'],
  ['key show', key],
  ['key release', key],
  ['cartridge hold', 'KR0001L8', '--reason', 'case 12'],
  ['key show', key],
  ['cartridge release', 'KR0001L8'],
  ['key destroy', key, '--dry-run'],
  ['key destroy', key, '--yes'],
  ['key list'],
  ['key show', key],
  ['key recover', key],
  ['exchange certificate export', '--out', join(scratch, 'own.pem')],
  ['exchange certificate import', peerFile, '--peer', 'B', '--yes'],
  ['exchange certificate import', peerFile, '--peer', 'B', '--yes'],
  ['exchange export', '--peer', 'B', '--all', '--out', join(scratch, 'bundle')],
  ['exchange inspect', join(scratch, 'bundle')],
  ['exchange inspect', incoming],
  ['exchange import', incoming, '--dry-run'],
  ['exchange import', incoming],
  ['exchange import', incoming, '--receipt', join(scratch, 'receipt-for-peer')],
  ['exchange receipt', receipt],
  ['exchange request', '--peer', 'B', '--barcode', 'KR0005L8', '--out', join(scratch, 'request')],
  ['exchange request show', incomingRequest],
  ['exchange log'],
  ['cartridge show', 'KR0001L8'],
  ['key show', key],
  ['key destroy', key, '--dry-run'],
  ['peer accept', 'B', '--out', join(scratch, 'kit-for-peer')],
  ['peer add', 'B', '--url', address, '--kit', kitFromPeer],
  ['peer list'],
  ['peer push', 'B', '--all'],
  ['peer pull', 'B', '--all'],
  ['exchange withdraw', '--peer', 'B', '--key', key, '--out', join(scratch, 'withdrawal')],
  ['exchange receipt', withdrawalReceipt],
  ['exchange withdraw apply', incomingWithdrawal, '--dry-run'],
  ['key show', key],
  ['cartridge show', 'KR0001L8'],
  ['peer ask', 'B', '--kad', 'KAD of KR0005L8', '--namespace', 'ACME-LIBRARY-LTO'],
  ['peer withdraw', 'B', '--all', '--dry-run'],
  ['peer withdraw', 'B', '--all', '--yes'],
  ['operator add', 'carol', '--certificate', `${carol}.pem`],
  ['operator list'],
  ['group set', 'default', 'approval=required'],
  ['exchange export', '--peer', 'B', '--all', '--out', approved],
  ['exchange approve'],
  ['exchange approve', request, '--key', `${carol}.key`, '--dry-run'],
  ['exchange approve', request, '--key', `${carol}.key`],
  ['exchange export', '--peer', 'B', '--all', '--out', approved],
  ['exchange approve', request],
  ['key show', key],
  ['cartridge show', 'KR0001L8'],
  ['exchange withdraw apply', incomingWithdrawal, '--receipt', join(scratch, 'applied'), '--yes'],
  ['key show', '55555555'],
  ['key list'],
  ['cartridge show', 'KR0005L8'],
  ['exchange log'],
  ['operator revoke', 'carol', '--dry-run'],
  ['operator revoke', 'carol', '--yes'],
  ['exchange certificate renew'],
  ['exchange certificate list'],
  ['exchange certificate revoke', '--peer', 'B', '--dry-run'],
  ['exchange certificate revoke', '--peer', 'B', '--yes'],
  ['exchange certificate list'],
  ['recovery setup', '--shares', '2', '--out', join(scratch, 'shares'), '--dry-run'],
  ['recovery setup', '--shares', '2', '--officer', `${dan}.pem`, '--out', join(scratch, 'shares')],
  ['recovery show'],
  ['recovery sheet', '--out', join(scratch, 'sheet.txt')],
  [
    'recovery open',
    join(scratch, 'shares', 'share-1.p7m'),
    '--certificate',
    `${dan}.pem`,
    '--key',
    `${dan}.key`,
    '--out',
    join(scratch, 'share-1.txt'),
  ],
  [
    'recovery verify',
    '--share',
    join(scratch, 'share-1.txt'),
    '--share',
    join(scratch, 'shares', 'share-3.txt'),
  ],
  ['backup create', '--out', join(scratch, 'backup')],
  ['backup verify', join(scratch, 'backup')],
  ['backup schedule set', 'nightly', '--to', scratch, '--at', '02:00'],
  ['backup schedule list'],
  ['backup list'],
  ['backup schedule remove', 'nightly', '--dry-run'],
  ['backup schedule remove', 'nightly', '--yes'],
  [
    'backup restore',
    join(scratch, 'backup'),
    '--share',
    join(scratch, 'share-1.txt'),
    '--share',
    join(scratch, 'shares', 'share-3.txt'),
    '--data',
    join(scratch, 'restored'),
    '--yes',
  ],
  ['journal verify', journal],
  ['journal replay', journal],
  ['journal prune', journal, '--backup', join(scratch, 'backup')],
  [
    'journal restore',
    journal,
    '--share',
    join(scratch, 'share-1.txt'),
    '--share',
    join(scratch, 'shares', 'share-3.txt'),
    '--data',
    join(scratch, 'made-anew'),
  ],
  ['master-key show'],
  ['master-key rotate'],
  ['master-key reseal'],
  ['group set', 'default', 'destroy=now'],
  ['key destroy', '55555555', '--yes'],
  ['key destruction', '55555555', '--out', join(scratch, 'destruction')],
  ['audit list'],
  ['audit verify', '--checkpoint', join(scratch, 'checkpoint')],
  ['audit verify', '--checkpoint', join(scratch, 'checkpoint')],
  ['audit export', '--out', join(scratch, 'audit.jsonl')],
]

/** Commands that want a database: test/cli/database-move.test.ts looks at what they print. */
const withDatabase = new Set(['database move'])

/** Fields of nodes on a shared database: test/end-to-end/nodes.test.ts looks at them. */
const ofNodes = /^nodes\[\]/

/** Fields of states that this test does not bring about. */
const rare = new Set([
  'wouldBeRefused',
  'oldest',
  'hold.reason',
  'hold.since',
  'hold.cartridge',
  'destruction.wiped',
  'allow[]',
  'reason',
  'remedy',
  'lastSeen',
  'server.kmip',
  'server.https',
  'server.pid',
  'server.started',
  'libraries[].lastSeen',
  'certificates[].warning',
  'certificates[].revoked',
  'others[]',
  'mediumSerial',
  'librarySerial',
  'events[].details',
  'missing[]',
  'leftOut[].id',
  'leftOut[].barcode',
  'leftOut[].reason',
  'failed',
  'exports[].reason',
  'exports[].approver',
  'withdrawn',
  'unwrappingKey',
  'wrappingKey',
  'tapes[].reason',
  'reports[].id',
  'reports[].barcode',
  'reports[].verdict',
  'reports[].reason',
  'warnings[]',
  'earlier[].fingerprint',
  'earlier[].notBefore',
  'earlier[].notAfter',
  'earlier[].pem',
  'peers[].earlier[].fingerprint',
  'peers[].earlier[].notBefore',
  'peers[].earlier[].notAfter',
  'peers[].earlier[].pem',
  'problems[].kind',
  'problems[].subject',
  'problems[].message',
  'faults[].kind',
  'faults[].where',
  'faults[].message',
  'doubled[]',
  'files[]',
  'unready[].group',
  'unready[].wanted',
  'journals[].path',
  'journals[].state',
  'journals[].reason',
  'journals[].bytes',
  'journal.faults[].kind',
  'journal.faults[].where',
  'journal.faults[].message',
  'journal.doubled[]',
  'journal.problems[].subject',
  'journal.problems[].message',
])

/** Every field of a document as a path: `keys[].id`. What stands below `details` or `value` is free. */
function pathsOf(value: unknown, prefix = ''): string[] {
  if (Array.isArray(value)) {
    return value.length === 0 ? [] : value.flatMap((entry) => pathsOf(entry, `${prefix}[]`))
  }
  if (typeof value !== 'object' || value === null) return [prefix]
  return Object.entries(value).flatMap(([name, entry]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    return name === 'details' || name === 'value' ? [path] : pathsOf(entry, path)
  })
}

/** A list of things is described as one of them; only records are a list of their own. */
function fieldsOf(words: string, document: unknown): string[] {
  if (words === 'audit list' || !Array.isArray(document)) return pathsOf(document)
  return document.flatMap((entry) => pathsOf(entry))
}

/** Lets a server bring a journal of the data directory up to date. */
async function journalled(): Promise<void> {
  await using server = await startKeyreel({ data, args: ['--journal', journal] })
  const isCurrent = async () => (await server.cli('status', '--json')).stdout.includes('"current"')
  while (!(await isCurrent()));
}

test('every field that --json prints is described, and no other', async () => {
  writeFileSync(join(scratch, 'password'), 'correct horse battery\n')
  const { certificate, key: carolKey } = person('Carol', scriptTime)
  writeFileSync(`${carol}.key`, carolKey)
  writeFileSync(`${carol}.pem`, certificate)
  const officer = person('Dan', scriptTime, { use: 'encryption' })
  writeFileSync(`${dan}.key`, officer.key)
  writeFileSync(`${dan}.pem`, officer.certificate)
  let requested: string | undefined
  const printed = new Map<string, Set<string>>()
  const run = async (words: string, rest: readonly string[]) => {
    const place = rest.includes('--data') ? [] : ['--data', data]
    const line = [...words.split(' '), ...rest, ...place, '--json']
    const { stdout, stderr, status } = await runKeyreel(line)
    requested ??= /exchange approve (\S+)/.exec(stderr)?.[1]
    if (status === 13 && rest.includes(approved)) return
    expect(status, `${words}: ${stderr}`).toBe(0)
    const seen = printed.get(words) ?? new Set<string>()
    for (const path of fieldsOf(words, JSON.parse(stdout))) seen.add(path)
    printed.set(words, seen)
  }
  await run('init', ['--host', 'kms.example.org'])
  const other = ['--data', join(scratch, 'other')]
  await runKeyreel(['init', '--host', 'kms.example.net', ...other])
  await runKeyreel(['exchange', 'certificate', 'export', '--out', peerFile, ...other])
  const own = join(scratch, 'first.pem')
  await runKeyreel(['exchange', 'certificate', 'export', '--out', own, '--data', data])
  await runKeyreel(['exchange', 'certificate', 'import', own, '--peer', 'A', '--yes', ...other])
  const there = { digit: '5', barcode: 'KR0005L8', library: 'beta' }
  await makeTapeKey(join(scratch, 'other'), there, scriptTime)
  await runKeyreel(['exchange', 'export', '--peer', 'A', '--all', '--out', incoming, ...other])
  const withdraw = ['exchange', 'withdraw', '--peer', 'A', '--all', '--out', incomingWithdrawal]
  await runKeyreel([...withdraw, ...other])
  await runKeyreel(['peer', 'accept', 'A', '--out', kitFromPeer, ...other])
  await using site = await startKeyreel({ data: join(scratch, 'other') })
  const { stdout: answer } = await runKeyreel(['master-key', 'unseal', '--json', ...other])
  printed.set('master-key unseal', new Set(pathsOf(JSON.parse(answer))))
  const placed = (word: string) => {
    if (word === request) return requested ?? ''
    return word === address ? `kmips://${site.host}:${site.port}` : word
  }
  await run(lines[0]![0], lines[0]!.slice(1))
  const tape = { digit: '1', barcode: 'KR0001L8', library: 'alpha' }
  await makeTapeKey(data, tape, scriptTime)
  await fetchTapeKey(data, tape, scriptTime + 60n)
  for (const [words, ...rest] of lines.slice(1)) {
    if (rest[0] === withdrawalReceipt) {
      const ours = join(scratch, 'withdrawal')
      const apply = ['exchange', 'withdraw', 'apply', ours, '--receipt', withdrawalReceipt]
      await runKeyreel([...apply, '--yes', ...other])
    }
    if (rest[0] === receipt) {
      const bundle = join(scratch, 'bundle')
      await runKeyreel(['exchange', 'import', bundle, '--receipt', receipt, ...other])
    }
    if (words === 'exchange request show') {
      const tapes = ['--barcode', 'KR0001L8', '--kad', 'KAD']
      const ask = ['exchange', 'request', '--peer', 'A', ...tapes, '--out', incomingRequest]
      await runKeyreel([...ask, ...other])
    }
    if (words === 'journal verify') await journalled()
    await run(words, rest.map(placed))
  }

  for (const { commands, fields } of jsonOutputs) {
    const seen = new Set(commands.flatMap((words) => [...(printed.get(words) ?? [])]))
    const described = Object.keys(fields)
    const place = commands.join(', ')
    if (withDatabase.has(place)) continue
    expect(
      [...seen].filter((path) => !described.includes(path)),
      place,
    ).toEqual([])
    expect(
      described.filter((path) => !seen.has(path) && !rare.has(path) && !ofNodes.test(path)),
      place,
    ).toEqual([])
  }
})
