// `keyreel backup schedule set | list | remove`: backups that the server makes and verifies by itself.
import { resolve } from 'node:path'
import {
  nextDue,
  removeSchedule,
  scheduleNamed,
  schedules,
  setSchedule,
} from '../../admin/backup-schedules.ts'
import { demandTarget, isSameDisk, targetWarnings } from '../../admin/backup-target.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { recoveryFor } from '../../exchange/backup-create.ts'
import { settingKinds } from '../../setting-kinds.ts'
import { everyText, keptText, scheduleJson, schedulesTable } from '../backup-tables.ts'
import { argument, command, integer, requiredText, text, textOr, toggle } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { moment, pairs } from '../output.ts'

const name = argument('name of the schedule: lower-case letters, digits and dashes')

export const backupScheduleSet = command({
  words: 'backup schedule set',
  summary: 'let the server make and verify a backup again and again, and delete old ones',
  details:
    'The first is made at once, so that what is wrong shows now. Each is written whole or not at all, read back and ' +
    'verified. What fails is an alarm in the log and in doctor, and is tried again; what was missed while no server ' +
    'ran is made up for. The --keep newest that were verified always stay, and all that are younger than ' +
    '--keep-days; only files that the schedule has made are ever deleted. Times of day are UTC. On several nodes the ' +
    'leading one writes: DIR has to be the same share on all.',
  arguments: { NAME: name },
  options: {
    to: requiredText(
      'DIR',
      'where the files go: another disk, better another machine, never a tape',
    ),
    every: textOr('TIME', '1d', 'from one to the next, such as 12h or 7d'),
    at: text('HH:MM', 'time of day (UTC) for whole days; without it, so long after the one before'),
    keep: integer('N', 7, 'so many that were verified are always kept'),
    keepDays: integer('DAYS', 0, 'and all that are younger'),
  },
  exits: keystoreExits,
  examples: [
    'backup schedule set nightly --to /mnt/safe --at 02:00',
    'backup schedule set monthly --to /mnt/safe --every 30d --keep 12 --keep-days 365',
  ],
  async run({ arguments: { NAME }, options, context }) {
    const directory = resolve(options.to)
    await demandTarget(directory)
    const { data } = context.config
    const wish = {
      directory,
      every: secondsOf('--every', options.every),
      ...(options.at !== undefined && { at: timeOfDay(options.at) }),
      keep: options.keep,
      ...(options.keepDays > 0 && { keepDays: options.keepDays }),
      elsewhere: !(await isSameDisk(directory, data)),
    }
    const schedule = await withStore(context, async (store) => {
      await recoveryFor(store)
      return setSchedule(store, NAME, wish)
    })
    const warnings = await targetWarnings(`${directory}/backup`, data)
    return {
      json: { ...scheduleJson(schedule), warnings },
      text: [
        pairs(
          [
            ['schedule', NAME],
            ['to', directory],
            ['every', everyText(schedule)],
            ['kept', keptText(schedule)],
            ['next', `${moment(nextDue(schedule)) ?? ''}, by a running server`],
          ],
          context.style,
        ),
        ...warnings.map((warning) => context.style('yellow', `warning: ${warning}`)),
      ].join('\n'),
    }
  },
})

export const backupScheduleList = command({
  words: 'backup schedule list',
  summary: 'list the schedules, when each was last kept, and what is wrong',
  exits: keystoreExits,
  examples: ['backup schedule list', 'backup schedule list --json'],
  async run({ context }) {
    const all = await withStore(context, (store) => store.read(schedules))
    const empty = 'no schedule yet; make one:  keyreel backup schedule set nightly --to DIR'
    return {
      json: { schedules: all.map(scheduleJson) },
      text: schedulesTable(all, context.style, empty),
    }
  },
})

export const backupScheduleRemove = command({
  words: 'backup schedule remove',
  summary: 'take a schedule away; its files stay, and nobody deletes them any more',
  arguments: { NAME: name },
  options: { dryRun: toggle('say what would happen, change nothing') },
  exits: keystoreExits,
  examples: ['backup schedule remove nightly --dry-run', 'backup schedule remove nightly --yes'],
  run: ({ arguments: { NAME }, options: { dryRun }, context }) =>
    withStore(context, async (store) => {
      const { body } = await store.read((work) => scheduleNamed(work, NAME))
      if (dryRun)
        return {
          json: { schedule: NAME, dryRun },
          text: `would take schedule ${NAME} away; its files in ${body.directory} would stay, and nobody delete them any more`,
        }
      await confirmTyped(context, { what: `take backup schedule ${NAME} away`, expected: NAME })
      await removeSchedule(store, NAME)
      const text = `schedule ${NAME} is gone; its files are still there`
      return { json: { schedule: NAME }, text }
    }),
})

/** `12h` in seconds. */
function secondsOf(flag: string, given: string): number {
  const { data, error } = settingKinds.duration.schema.safeParse(given)
  if (data !== undefined && data % 1000 === 0) return data / 1000
  throw new UserError(
    'usage',
    `${flag} is ${JSON.stringify(given)}: ${error?.issues[0]?.message ?? 'expected whole seconds'}`,
    `give ${flag} a time such as 12h or 7d`,
    { exitStatus: exitStatus.usage },
  )
}

/** Seconds after midnight. */
function timeOfDay(given: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(given) ?? []
  if (hours !== undefined && minutes !== undefined)
    return Number(hours) * 3600 + Number(minutes) * 60
  throw new UserError(
    'usage',
    `--at is ${JSON.stringify(given)}: expected a time of day, HH:MM, in UTC`,
    'give --at a time such as 02:00',
    { exitStatus: exitStatus.usage },
  )
}
