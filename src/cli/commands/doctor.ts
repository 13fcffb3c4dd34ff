// `keyreel doctor`: the named checks, each ok, warning or failed with a remedy.
import { checks, runChecks } from '../../admin/health.ts'
import type { Finding } from '../../admin/finding.ts'
import { rebuildAll, rebuiltText } from '../../admin/rebuilding.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { command, rest, toggle } from '../command.ts'
import { keystoreExits } from '../keystore-session.ts'
import { withHealth } from '../health-session.ts'
import type { Style } from '../output.ts'
import { counted } from '../output.ts'
import { printable } from '../../log.ts'

export const doctor = command({
  words: 'doctor',
  summary: 'check the data directory, and say how to put right what is wrong',
  details: `Checks:\n${checks.map(({ name, about }) => `  ${name.padEnd(13)} ${about}`).join('\n')}`,
  arguments: { NAME: rest('only these checks') },
  options: {
    full: toggle('verify the whole audit record and every object; takes longer'),
    repair: toggle(
      'first make index rows and columns anew where they are not those of the records',
    ),
  },
  settings: ['checkpoint', 'syslog'],
  exits: keystoreExits,
  examples: ['doctor', 'doctor certificates disk --json'],
  async run({ arguments: { NAME }, options: { full, repair }, context }) {
    const selected = NAME.length === 0 ? checks : NAME.map(checkNamed)
    const { findings, isSealed, rebuilt } = await withHealth(context, full, async (health) => {
      const { keystore } = health
      if (repair && keystore instanceof UserError) throw keystore
      const isSealed = keystore instanceof UserError
      const rebuilt = repair && !isSealed ? await rebuildAll(keystore) : undefined
      return { findings: await runChecks(selected, health), isSealed, rebuilt }
    })
    const count = (status: Finding['status']) =>
      findings.filter((finding) => finding.status === status).length
    const lines = findings.map((finding) => findingText(finding, context.style))
    const summary = `${counted(findings.length, 'check')}: ${count('ok')} ok, ${counted(count('warning'), 'warning')}, ${count('failed')} failed`
    const failedStatus = isSealed ? exitStatus.sealed : exitStatus.failed
    return {
      json: { checks: findings, sealed: isSealed, ...(rebuilt && { repaired: rebuilt }) },
      text: [...(rebuilt ? [rebuiltText(rebuilt), ''] : []), ...lines, '', summary].join('\n'),
      exitStatus: count('failed') === 0 ? 0 : failedStatus,
    }
  },
})

function checkNamed(name: string) {
  const check = checks.find((candidate) => candidate.name === name)
  if (check !== undefined) return check
  const names = checks.map((candidate) => candidate.name)
  const meant = nearest(name, names)
  throw new UserError(
    'usage',
    `there is no check named ${JSON.stringify(name)}`,
    meant === undefined ? `the checks are ${names.join(', ')}` : `keyreel doctor ${meant}`,
    { exitStatus: exitStatus.usage },
  )
}

const looks = { ok: 'green', warning: 'yellow', failed: 'red' } as const

function findingText({ name, status, found, remedy }: Finding & { name: string }, style: Style) {
  const line = `${style(looks[status], status.padEnd(7))}  ${name.padEnd(12)}  ${printable(found)}`
  return remedy === undefined ? line : `${line}\n${' '.repeat(23)}remedy: ${printable(remedy)}`
}
