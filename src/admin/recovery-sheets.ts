// What is printed about a recovery key: one sheet per share, and one for the safe that says who has the shares
// and what to do. As text and as a page for a printer.
import type { RecoveryKey, RecoveryShareHolder } from '../keystore/recovery-key.ts'
import { shareLines, type RecoveryShare } from '../keystore/recovery-share.ts'

/** A sheet before it is laid out. */
export interface Sheet {
  readonly title: string
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** The groups of a share, line by line; none on a sheet without a secret. */
  readonly lines: readonly string[]
  /** What to do, step by step or as it comes; a line that begins with two blanks is a command. */
  readonly steps: readonly string[]
}

/** Where the sheets belong. */
export interface SheetPlace {
  /** Identity of the keystore. */
  readonly store: string
  /** Where the keystore is, in words. */
  readonly data: string
  /** SHA-256 of the key of the exchange identity, which signs backups; in groups. */
  readonly identity: string
}

const date = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10)

/** `carol`, or `printed`. */
export function holderName({ officer }: RecoveryShareHolder): string {
  return officer ?? 'whoever has the paper'
}

/** The sheet of one share. It holds the share itself. */
export function shareSheet(key: RecoveryKey, share: RecoveryShare, place: SheetPlace): Sheet {
  const holder = key.shares.find(({ number }) => number === share.number)
  const count = key.shares.length
  return {
    title: `keyreel recovery share ${share.number} of ${count}`,
    facts: [...facts(key, place), ['holder', holder?.officer ?? '______________________________']],
    lines: shareLines(share),
    steps: [
      `Any ${key.threshold} of the ${count} shares open the keystore, and with it the keys of every tape. Fewer say nothing about it.`,
      'Keep this sheet where only you get at it, apart from the other shares and from copies of the keystore.',
      'When it is needed, type the numbered lines into a file, with their numbers, and say so to the others. The fifth character of each group checks it: a slip is found, and where it is.',
      'Then, with the files of all who are there:',
      `  keyreel recovery verify ${shareFlags(key)}`,
      `  keyreel master-key unseal ${shareFlags(key)}`,
      'Wipe the files when it is done.',
    ],
  }
}

/** The sheet for the safe: it holds no secret. */
export function recoverySheet(key: RecoveryKey, place: SheetPlace): Sheet {
  return {
    title: 'keyreel recovery sheet',
    facts: [
      ...facts(key, place),
      ...key.shares.map((holder): [string, string] => [
        `share ${holder.number}`,
        holder.fingerprint === undefined
          ? `${holderName(holder)}: ______________________________`
          : `${holderName(holder)}, encrypted to the certificate ${holder.fingerprint.slice(0, 16)}…`,
      ]),
    ],
    lines: [],
    steps: [
      `When the master key is lost or cannot be reached, ${key.threshold} of these ${key.shares.length} people open the keystore with their shares.`,
      'Who has a file ending in .p7m makes a readable share of it, on a machine of their own:',
      '  openssl cms -decrypt -inform DER -in SHARE.p7m -recip CERTIFICATE.pem -inkey KEY.pem -out SHARE.txt',
      'On the server, see that the shares fit; nothing is changed by it:',
      `  keyreel recovery verify ${shareFlags(key)}`,
      'A server that runs sealed is opened, and serves again:',
      `  keyreel master-key unseal ${shareFlags(key)}`,
      'Or give the keystore a new master key, when the old one does not come back:',
      `  keyreel master-key rotate --to file ${shareFlags(key)}`,
      'When the machine is gone as well, make the keystore anew out of a backup that names the same signer as this sheet:',
      `  keyreel backup restore FILE ${shareFlags(key)}`,
      'Shares that were together in one place are no longer apart. Make a new recovery key afterwards:',
      `  keyreel recovery setup --threshold ${key.threshold} --shares ${key.shares.length} --out DIR`,
    ],
  }
}

/** The sheet as text. */
export function sheetText({ title, facts: rows, lines, steps }: Sheet): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    title,
    '='.repeat(title.length),
    '',
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    ...lines.flatMap((line, at) => [`  ${at + 1})  ${line}`, '']),
    ...steps.flatMap((step) => [step, '']),
  ].join('\n')
}

/** The sheet as a page for a printer, complete in itself. */
export function sheetHtml({ title, facts: rows, lines, steps }: Sheet): string {
  const share = lines.map((line, at) => `<li value="${at + 1}">${escaped(line)}</li>`).join('\n')
  const parts = [
    `<h1>${escaped(title)}</h1>`,
    '<table>',
    ...rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`),
    '</table>',
    ...(share === '' ? [] : [`<ol class="share">\n${share}\n</ol>`]),
    ...steps.map((step) =>
      step.startsWith('  ') ? `<pre>${escaped(step.trim())}</pre>` : `<p>${escaped(step)}</p>`,
    ),
  ]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
body { font: 11pt/1.5 serif; max-width: 17cm; margin: 2cm auto; }
th { text-align: left; padding-right: 1em; font-weight: normal; color: #444; }
.share { font: bold 15pt/2.4 monospace; white-space: pre; }
pre { font: 10pt monospace; white-space: pre-wrap; margin-left: 1em; }
</style>
${parts.join('\n')}
</html>
`
}

function facts(key: RecoveryKey, { store, data, identity }: SheetPlace): [string, string][] {
  return [
    ['keystore', `${store} (${data})`],
    ['recovery key', key.id],
    ['made', date(key.created)],
    ['needed', `${key.threshold} of ${key.shares.length} shares`],
    ['signs backups', identity],
  ]
}

function shareFlags({ threshold }: RecoveryKey): string {
  return Array.from({ length: threshold }, (_, at) => `--share FILE-${at + 1}`).join(' ')
}

function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (character) => entities[character]!)
}
