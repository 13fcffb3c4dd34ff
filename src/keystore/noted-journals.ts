// Which journals the keystore has, as it notes them itself: for the next start, for commands that write beside the
// server, and for whoever asks where a key may still be.
import type { AuditActor, Work } from './work.ts'

/** A journal that was begun: where it is, and its identity. */
export type NotedJournal = Readonly<Record<'path' | 'journal', string>>

/** The document that names them. */
export const noted = { kind: 'journal', name: 'place' } as const

/** What the document says: several since there may be several. */
type NotedBody = NotedJournal | { readonly journals: readonly NotedJournal[] }

/** The journals in the text of that document; none where there is no document. */
export function journalsIn(body: unknown): readonly NotedJournal[] {
  if (body === undefined || body === null) return []
  const read = body as NotedBody
  return 'journals' in read ? read.journals : [read]
}

/** The journals that a server of this keystore has kept last. */
export async function notedJournals(
  work: Pick<Work, 'document'>,
): Promise<readonly NotedJournal[]> {
  return journalsIn((await work.document(noted.kind, noted.name))?.body)
}

/** Notes these, on record where they differ from those of before. */
export async function noteJournals(
  work: Work,
  actor: AuditActor,
  journals: readonly NotedJournal[],
): Promise<void> {
  const before = await notedJournals(work)
  const begun = without(journals, before)
  const left = without(before, journals)
  if (begun.length + left.length === 0) return
  await work.putDocument(noted.kind, noted.name, { journals })
  const record = { actor, outcome: 'Success' as const }
  for (const place of begun) work.audit({ ...record, operation: 'Journal Begun', details: place })
  for (const place of left) work.audit({ ...record, operation: 'Journal Left', details: place })
}

function without(
  some: readonly NotedJournal[],
  others: readonly NotedJournal[],
): readonly NotedJournal[] {
  return some.filter(
    ({ path, journal }) =>
      !others.some((other) => other.path === path && other.journal === journal),
  )
}
