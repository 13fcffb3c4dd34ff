// `node scripts/reference.ts` writes docs/reference from the tables of the code; with --check it writes
// nothing and ends with 1 when a page is out of date. Layout is prettier's.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { auditPage } from './reference/audit.ts'
import { bundlesPage } from './reference/bundles.ts'
import { commandsPage } from './reference/commands.ts'
import { dataDirectoryPage } from './reference/data-directory.ts'
import { formatsPage } from './reference/formats.ts'
import { jsonPage } from './reference/json.ts'
import { attributesPage } from './reference/kmip-attributes.ts'
import { enumerationsPage } from './reference/kmip-enumerations.ts'
import { journalsPage } from './reference/journals.ts'
import { kmipPage } from './reference/kmip.ts'
import { reasonsPage } from './reference/kmip-reasons.ts'
import { settingsPage } from './reference/settings.ts'
import { simulatorPage } from './reference/simulator.ts'

interface Page {
  readonly title: string
  /** One sentence for the index. */
  readonly about: string
  /** Markdown below the title. */
  readonly body: () => string | Promise<string>
}

/** Every page of docs/reference by file name, in the order of the index. */
const pages: Readonly<Record<string, Page>> = {
  'commands.md': commandsPage,
  'json.md': jsonPage,
  'settings.md': settingsPage,
  'kmip.md': kmipPage,
  'kmip-attributes.md': attributesPage,
  'kmip-enumerations.md': enumerationsPage,
  'kmip-result-reasons.md': reasonsPage,
  'data-directory.md': dataDirectoryPage,
  'audit-record.md': auditPage,
  'formats.md': formatsPage,
  'bundles.md': bundlesPage,
  'journals.md': journalsPage,
  'simulator.md': simulatorPage,
}

const folder = join(import.meta.dirname, '../docs/reference')

/** The text of every page as it should stand in docs/reference. */
export async function referencePages(): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const [file, page] of [['README.md', index] as const, ...Object.entries(pages)]) {
    const text = `# ${page.title}\n\n${note}\n\n${await page.body()}`
    const options = await resolveConfig(join(folder, file))
    texts.set(file, await format(text, { ...options, parser: 'markdown' }))
  }
  return texts
}

/** Pages that are not as they should be: changed, missing, or there without being in the table. */
export async function outOfDate(): Promise<string[]> {
  const texts = await referencePages()
  const present = await readdir(folder)
  const wrong = present.filter((file) => !texts.has(file))
  for (const [file, text] of texts) {
    const found = present.includes(file) ? await readFile(join(folder, file), 'utf8') : undefined
    if (found !== text) wrong.push(file)
  }
  return wrong.sort()
}

const note =
  '<!-- Made by `node scripts/reference.ts` from the tables of the code. Change those, not this file. -->'

const index: Page = {
  title: 'Reference',
  about: '',
  body: () =>
    Object.entries(pages)
      .map(([file, { title, about }]) => `- [${title}](${file}): ${about}`)
      .join('\n'),
}

async function main(check: boolean): Promise<void> {
  if (check) {
    const wrong = await outOfDate()
    if (wrong.length === 0) return
    process.stderr.write(
      `error: out of date in docs/reference: ${wrong.join(', ')}\nhint: node scripts/reference.ts\n`,
    )
    process.exitCode = 1
    return
  }
  await mkdir(folder, { recursive: true })
  const texts = await referencePages()
  for (const file of await readdir(folder)) if (!texts.has(file)) await rm(join(folder, file))
  for (const [file, text] of texts) await writeFile(join(folder, file), text)
}

if (import.meta.main) await main(process.argv.includes('--check'))
