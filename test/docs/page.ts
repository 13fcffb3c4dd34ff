// A page of the documentation as a list of steps: the fenced blocks that are marked to be run. The
// marks stand in CONTRIBUTING.md, "Commands in the documentation".

/** One thing that the page does. `line` is where it stands. */
export type Step =
  | {
      readonly kind: 'run' | 'start'
      readonly line: number
      readonly script: string
      readonly status: number
      /** What the page shows of its output; undefined where it shows nothing. */
      shown?: readonly string[]
    }
  | { readonly kind: 'stop'; readonly line: number }
  | { readonly kind: 'file'; readonly line: number; readonly name: string; readonly text: string }

interface Block {
  readonly line: number
  readonly info: readonly string[]
  readonly lines: readonly string[]
}

/** The steps of a page, in order. Throws on a mark that means nothing. */
export function stepsOf(markdown: string): Step[] {
  const steps: Step[] = []
  for (const block of blocksOf(markdown)) {
    const { line, info, lines } = block
    const [language, mark, ...rest] = info
    const script = lines.join('\n')
    const last = steps.at(-1)
    if (language === '<!--') steps.push(...hiddenSteps(block))
    else if (mark === undefined) continue
    else if (language === 'text' && mark === 'output') {
      if (last === undefined || !('script' in last) || last.shown !== undefined) {
        throw new Error(`line ${line}: output of nothing that is run`)
      }
      last.shown = lines
    } else if (language === 'sh' && (mark === 'run' || mark === 'start')) {
      steps.push({ kind: mark, line, script, status: statusOf(rest, line) })
    } else if (mark.startsWith('file=')) {
      steps.push({ kind: 'file', line, name: mark.slice('file='.length), text: `${script}\n` })
    } else throw new Error(`line ${line}: unknown mark ${info.join(' ')}`)
  }
  return steps
}

/** What differs from run to run, so that pages may show real output. First match wins at each place. */
const volatile: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '‹identifier›'],
  [/\b\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\dZ)?/g, '‹moment›'],
  [/\b([0-9A-F]{2}:){31}[0-9A-F]{2}\b/g, '‹fingerprint›'],
  [/(?<![0-9a-z-])[0-9a-f]{8}(?![0-9a-z-])/g, '‹short identifier›'],
  [/\b\d+(\.\d+)? (ms|GiB)\b/g, '‹amount›'],
  [/ {2,}/g, '  '],
]

/**
 * Whether output is what a page shows: `…` alone stands for any lines, inside a line for any text;
 * identifiers, moments, fingerprints, durations and the width of columns may differ. Lines of the
 * log do not count.
 */
export function looksLike(actual: string, shown: readonly string[]): boolean {
  const pattern = shown.map((line) => {
    if (line.trim() === '…') return '(?:.*\\n)*?'
    return `${settled(line.trimEnd()).split('…').map(RegExp.escape).join('.*')}[ \\t]*\\n`
  })
  return new RegExp(`^${pattern.join('')}$`).test(settled(withoutLog(withLineEnd(actual))))
}

/** The log of a server comes when it comes. */
function withoutLog(text: string): string {
  return text.replaceAll(/^\{"level":.*\n/gm, '')
}

function settled(text: string): string {
  return volatile.reduce((before, [found, name]) => before.replaceAll(found, name), text)
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** `<!-- stop -->`, or commands that prepare what the page takes for granted. */
function hiddenSteps({ line, info, lines }: Block): Step[] {
  const script = lines.join('\n')
  if (info[1] === 'stop') return [{ kind: 'stop', line }]
  if (info[1] === 'start') return [{ kind: 'start', line, script, status: 0 }]
  return info[1] === 'before' ? [{ kind: 'run', line, script, status: 0 }] : []
}

function statusOf(words: readonly string[], line: number): number {
  const [word, ...more] = words
  if (word === undefined) return 0
  const status = /^exit=(\d+)$/.exec(word)?.[1]
  if (status === undefined || more.length > 0) throw new Error(`line ${line}: unknown mark ${word}`)
  return Number(status)
}

/** Fenced blocks and HTML comments, in order. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; info: string[]; lines: string[]; end: RegExp } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open !== undefined) {
      if (open.end.test(text)) {
        blocks.push(open)
        open = undefined
      } else open.lines.push(text)
      continue
    }
    const [, ticks, info] = /^(```+)(.*)$/.exec(text) ?? []
    const [, comment] = /^<!--(.*)$/.exec(text) ?? []
    const line = index + 1
    if (ticks !== undefined) {
      const words = info?.trim().split(/\s+/) ?? []
      open = { line, info: words, lines: [], end: new RegExp(`^${ticks}$`) }
    } else if (comment !== undefined) {
      const words = [
        '<!--',
        ...comment
          .replace(/-->\s*$/, '')
          .trim()
          .split(/\s+/),
      ]
      const block = { line, info: words, lines: [], end: /^-->$/ }
      if (comment.trimEnd().endsWith('-->')) blocks.push(block)
      else open = block
    }
  }
  return blocks
}
