// The check `backup` of health.ts: how old the newest verified backup is, what is in none, and whether the schedules
// are kept.
import { dateOf } from '../access/identity.ts'
import type { Store } from '../keystore/store.ts'
import { isMissed, nextDue, schedules, type Schedule } from './backup-schedules.ts'
import { backupState, isOverdue, unsavedText, type BackupThresholds } from './backup-state.ts'
import { targetWarnings } from './backup-target.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

const backupDays = 30n
const day = 86_400n
const make = 'keyreel backup create --out FILE , then  keyreel backup verify FILE'

/** What the check found. */
export async function backupCheck(
  store: Store,
  { directory, thresholds, now }: { directory: string; thresholds: BackupThresholds; now: bigint },
): Promise<Finding> {
  const all = await store.read(schedules)
  const troubled = all.flatMap((schedule) => troubleOf(schedule, now))
  if (troubled[0] !== undefined) return troubled[0]
  const state = await backupState(store)
  const remedy = all.length === 0 ? make : 'look at  keyreel backup list  and the log of the server'
  const { last, verified, missing, since } = state
  const unsaved = unsavedText(state)
  if (isOverdue(state, thresholds, now))
    return failed(`${unsaved}, the first since ${dateOf(since!)}`, remedy)
  if (last === undefined && missing.count === 0) return ok('nothing to back up yet')
  if (missing.count > 0) return warning(unsaved!, remedy)
  if (verified === undefined) return warning('no backup was verified yet', remedy)
  const age = (now - BigInt(verified.created)) / day
  const text = unsaved ?? `everything is in the backup of ${dateOf(BigInt(verified.created))}`
  if (age > backupDays) return warning(`${text}, ${age} days ago`, remedy)
  const onTape = await Promise.all(
    all.map(async ({ name, body }) => ({
      name,
      found: await targetWarnings(`${body.directory}/backup`, directory),
    })),
  )
  const bad = onTape.find(({ found }) => found.length > 0)
  if (bad === undefined) return ok(text)
  const elsewhere = `keyreel backup schedule set ${bad.name} --to DIR , DIR on another machine`
  return warning(`schedule ${bad.name}: ${bad.found[0]}`, elsewhere)
}

/** What is wrong with a schedule: its newest turn failed, or there was none. */
function troubleOf(schedule: Schedule, now: bigint): Finding[] {
  const { name, run, body } = schedule
  if (run?.failed !== undefined) {
    const found = `the backup of schedule ${name} failed on ${dateOf(BigInt(run.started))}: ${run.failed}`
    return [failed(found, `put that right in ${body.directory}; the server tries again by itself`)]
  }
  if (!isMissed(schedule, now)) return []
  const found = `schedule ${name} was due on ${dateOf(nextDue(schedule))}, and no backup was made`
  return [failed(found, 'start the server (keyreel serve): it makes up for it')]
}
