// The ready rule: a new object is handed out only once it is durable on as many copies as its group wants. The
// database is one copy; a synchronous standby that has confirmed a commit, and a journal that has synced it,
// is one more each. Asked before anything is written: a refusal leaves nothing behind.
import { KmipError } from '../kmip/model/result.ts'
import { after, type Soon } from './soon.ts'
import type { Work } from './work.ts'

/** On how many copies a commit is durable once it is answered. */
export interface Copies {
  readonly count: number
  /** Why there are no more, in words fit for clients. */
  readonly missing: string
  /** Milliseconds for which commits have waited: none is answered until what is missing is there. */
  readonly stuckFor?: number
}

/** Most copies that a group may want: a primary and eight standbys. */
export const mostCopies = 9

const copiesWord = /^[1-9]$/

/** Whether the word `ready=` means something. */
export function isCopiesWord(word: string): boolean {
  return copiesWord.test(word)
}

/** The number of copies that a group wants: 1 where nothing, or a word of earlier releases, was set. */
export function copiesWanted(word: string | undefined): number {
  return word !== undefined && isCopiesWord(word) ? Number(word) : 1
}

/** Refuses a new object of a group that wants more copies than there are now. */
export function demandReady(work: Work, group: string): Soon<void> {
  return after(work.document('group', group), (found) => {
    const body = found?.body as { ready?: string } | null | undefined
    const wanted = copiesWanted(body?.ready)
    return wanted === 1 ? undefined : demandCopies(work, wanted)
  })
}

async function demandCopies(work: Work, wanted: number): Promise<void> {
  const { count, missing } = await work.copies(wanted)
  if (count >= wanted) return
  throw new KmipError('GeneralFailure', notReady(wanted, count, missing))
}

/** The refusal in words. */
export function notReady(wanted: number, count: number, missing: string): string {
  const there = count === 1 ? 'there is 1' : `there are ${count}`
  return `nothing new is kept: it has to be on ${wanted} copies before it is handed out, and ${there}: ${missing}`
}
