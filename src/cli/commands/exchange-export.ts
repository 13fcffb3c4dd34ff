// `keyreel exchange export`: keys out, in a bundle for one other site.
import { readFile } from 'node:fs/promises'
import { exitStatus, UserError } from '../../errors.ts'
import { shellWord } from '../../shell-word.ts'
import { exportKeys } from '../../exchange/export-keys.ts'
import type { ExportReport } from '../../exchange/export-keys.ts'
import type { LeftOut } from '../../exchange/release-keys.ts'
import type { Selection } from '../../exchange/selection.ts'
import { readRequest, tapeText } from '../../exchange/tape-requests.ts'
import type { Store } from '../../keystore/store.ts'
import { grouped } from '../../exchange/words.ts'
import { command, integer, list, requiredText, text, textOr, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { counted, isoMoment, moment, pairs, table } from '../output.ts'
import { progress } from '../progress.ts'

/** Which keys: the same for every command that exports. */
export const scopeOptions = {
  all: toggle('every living key of the group'),
  used: toggle('keys that a library has fetched at least once'),
  current: toggle('the current key of each cartridge, as cartridge list shows it'),
  barcode: list('B', 'keys of this cartridge; may repeat'),
  barcodesFrom: text('FILE', 'keys of the cartridges in this file, one barcode a line'),
  key: list('ID', 'this key; may repeat'),
} as const

/** Who asks: the same for every command that keys leave by. */
export const requesterOption = {
  as: text('OPERATOR', 'who asks, where a second person has to approve (else: administrator)'),
} as const

export const exchangeExport = command({
  words: 'exchange export',
  summary: 'write a bundle of keys for another site',
  details:
    'Each key is wrapped; the bundle is signed, and encrypted to the Encryption Certificate of the ' +
    'peer: only that site opens it, and it says nothing to others. The file may be mailed. Barcodes ' +
    'without a key and keys that may not leave are listed, the others are exported, and the status ' +
    'is 3. No file remains when anything fails. In a group with approval=required it keeps a request ' +
    'and ends with 13; run again once it was approved (keyreel exchange approve) it goes through.',
  options: {
    peer: text('NAME', 'the other site, as its certificate was imported; else --request'),
    ...scopeOptions,
    request: text('FILE', 'the keys that this request of a peer asks for, for that peer'),
    group: textOr('GROUP', 'default', 'group of keys'),
    ...requesterOption,
    out: requiredText('FILE', 'bundle to write; must not exist'),
    validDays: integer('DAYS', 90, 'days after which it is not taken any more; 0: for ever'),
  },
  exits: [exitStatus.partly, ...keystoreExits, exitStatus.policy],
  examples: [
    'exchange export --peer B --used --out for-b.keyreel',
    'exchange export --request from-b.request --out for-b.keyreel',
  ],
  async run({ options, context }) {
    const { group, out, validDays, as: requester } = options
    const isAnswer = options.request !== undefined
    const named = isAnswer ? undefined : await selectionOf(options)
    refuseBoth(options)
    refuseOut(out)
    const shown = progress(context, 'exporting', undefined)
    try {
      const report = await withStore(context, async (store) => {
        const asked = await wantedOf(store, options, named)
        const { peer, selection } = asked
        const made = await exportKeys(store, {
          ...{ peer, group, selection, out, requester },
          validDays: validDays === 0 ? undefined : validDays,
          progress: (done) => shown.step(done),
        })
        return { ...made, missing: [...made.missing, ...asked.missing] }
      })
      return exportedReport(report, out, context)
    } finally {
      shown.end()
    }
  },
})

interface Asking {
  readonly peer: string | undefined
  readonly request: string | undefined
  readonly group: string
  readonly all: boolean
  readonly used: boolean
  readonly current: boolean
  readonly barcode: readonly string[]
  readonly barcodesFrom: string | undefined
  readonly key: readonly string[]
}

/** A peer is named, or a request names the peer and the keys; never both. */
function refuseBoth(options: Asking): void {
  const { peer, request, all, used, current, barcode, barcodesFrom, key } = options
  const scoped = all || used || current || barcode.length + key.length > 0
  const hasBoth =
    request !== undefined && (peer ?? barcodesFrom ?? (scoped || undefined)) !== undefined
  if (!hasBoth && (request ?? peer) !== undefined) return
  throw new UserError(
    'usage',
    hasBoth ? 'a request says for whom and which keys' : 'nothing says for which site',
    hasBoth ? 'give --request FILE alone' : 'give --peer NAME, or --request FILE',
    { exitStatus: exitStatus.usage },
  )
}

/** For whom, which keys, and tapes of a request of which there is no key. */
async function wantedOf(
  store: Store,
  { peer, request, group }: Asking,
  named: Selection | undefined,
): Promise<{ peer: string; selection: Selection; missing: readonly string[] }> {
  if (request === undefined) {
    if (peer === undefined || named === undefined) throw new Error('neither peer nor request')
    return { peer, selection: named, missing: [] }
  }
  const asked = await readRequest(store, request, group)
  const keys = [...new Set(asked.tapes.flatMap((one) => one.keys))]
  if (keys.length === 0)
    throw new UserError(
      'nothing-selected',
      `group ${group} has no key for any tape of this request`,
      `look at it:  keyreel exchange request show ${shellWord(request)}`,
    )
  const missing = asked.tapes.filter((one) => one.keys.length === 0)
  const texts = missing.map(({ tape }) => tapeText(tape))
  return { peer: asked.peer, selection: { scope: 'key', keys }, missing: texts }
}

/** What the scope flags ask for: exactly one kind. */
export async function selectionOf(options: {
  all: boolean
  used: boolean
  current: boolean
  barcode: readonly string[]
  barcodesFrom: string | undefined
  key: readonly string[]
}): Promise<Selection> {
  const { key } = options
  const barcodes = await barcodesOf(options)
  const asked: Selection[] = []
  for (const scope of ['all', 'used', 'current'] as const) if (options[scope]) asked.push({ scope })
  if (barcodes !== undefined) asked.push({ scope: 'barcode', barcodes })
  if (key.length > 0) asked.push({ scope: 'key', keys: key })
  const [only, ...others] = asked
  if (only !== undefined && others.length === 0) return only
  throw new UserError(
    'usage',
    only === undefined ? 'nothing says which keys' : 'several things say which keys',
    'give one of --all, --used, --current, --barcode, --barcodes-from and --key',
    { exitStatus: exitStatus.usage },
  )
}

/** The barcodes that were named one by one or in a file; undefined when none were. */
export async function barcodesOf(options: {
  barcode: readonly string[]
  barcodesFrom: string | undefined
}): Promise<string[] | undefined> {
  const { barcode, barcodesFrom } = options
  if (barcodesFrom === undefined) return barcode.length > 0 ? [...barcode] : undefined
  return [...barcode, ...barcodesIn(await readFile(barcodesFrom, 'utf8'))]
}

/** One barcode a line, the first field of a comma-separated list; blank lines and # lines do not count. */
function barcodesIn(file: string): string[] {
  return file
    .split(/\r?\n/)
    .map((line) => (line.split(/[,;\t]/, 1)[0] ?? '').trim().replaceAll('"', ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
}

/** A tape that a request names by its identifier has the namespace in front. */
function isTape(missing: string): boolean {
  return missing.includes(' ')
}

function exportedReport(report: ExportReport, out: string, { style }: Context): Report {
  const { peer, keys, mode, recipient, warnings, leftOut, missing, expires } = report
  const facts = pairs(
    [
      ['written', `${out}, ${counted(report.bytes, 'byte')}`],
      ['export id', report.id],
      ['recipient', `${peer}, ${grouped(recipient)}`],
      ['protection', protections[mode]],
      ['valid until', moment(expires) ?? 'for ever'],
      ['SHA-256', report.digest],
    ],
    style,
  )
  const columns = {
    'LEFT OUT': ({ id }: LeftOut) => id,
    CARTRIDGE: ({ barcode }: LeftOut) => barcode,
    REASON: ({ reason }: LeftOut) => reason,
  }
  const text = [
    `${counted(keys, 'key')} of group ${report.group} exported to ${peer}`,
    facts,
    ...warnings.map((warning) => style('yellow', `warning: ${warning}`)),
    ...missing.map((barcode) =>
      style('yellow', `no key: ${isTape(barcode) ? 'tape' : 'cartridge'} ${barcode}`),
    ),
    ...(leftOut.length === 0 ? [] : [table(columns, leftOut, style, '')]),
    'next, at the other site:  keyreel exchange import FILE',
  ].join('\n')
  const isPart = leftOut.length > 0 || missing.length > 0
  return {
    json: { ...report, file: out, expires: isoMoment(expires) },
    text,
    ...(isPart && { exitStatus: exitStatus.partly }),
  }
}

const protections = {
  hybrid: 'P-384 and ML-KEM-1024 together',
  ec: 'elliptic curve; opens with openssl cms',
  rsa: 'RSA; opens with openssl cms',
} as const
