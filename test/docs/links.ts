// Relative links in Markdown: where they lead, and the headings they may name.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Links of a page that lead nowhere, each as `target: why`. */
export function brokenLinks(root: string, page: string): string[] {
  const text = withoutCode(readFileSync(join(root, page), 'utf8'))
  const targets = [...text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map((found) => found[1]!)
  return targets.flatMap((target) => {
    const why = problemOf(root, page, target)
    return why === undefined ? [] : [`${page}: ${target}: ${why}`]
  })
}

function problemOf(root: string, page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined
  if (target.startsWith('/')) return 'links are relative'
  const [path = '', anchor] = decodeURI(target).split('#')
  const file = path === '' ? page : normalize(join(dirname(page), path))
  if (file.startsWith('..')) return 'leads out of the repository'
  if (!existsSync(join(root, file))) return 'is not there'
  if (anchor === undefined) return undefined
  if (statSync(join(root, file)).isDirectory() || !file.endsWith('.md')) return 'has no headings'
  return anchorsOf(readFileSync(join(root, file), 'utf8')).has(anchor)
    ? undefined
    : 'no such heading'
}

/** Anchors as GitHub makes them from headings. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>()
  for (const line of withoutCode(markdown, '').split('\n')) {
    const [, heading] = /^#{1,6} (.*)$/.exec(line) ?? []
    if (heading === undefined) continue
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '')
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    let anchor = slug
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`
    anchors.add(anchor)
  }
  return anchors
}

/** Code shows links that are none. Headings may hold code in their text, which stays. */
function withoutCode(markdown: string, inline: '' | 'drop' = 'drop'): string {
  const blocks = markdown.replaceAll(/^(```+)[\s\S]*?^\1$/gm, '')
  return inline === 'drop' ? blocks.replaceAll(/`[^`\n]*`/g, '') : blocks
}
