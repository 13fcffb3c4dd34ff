// `keyreel key …`: managed objects and their attributes, never key material.
import { demandKnown } from '../../access/groups.ts'
import {
  destroyKey,
  daysUntilWipe,
  findKey,
  keyRow,
  listKeys,
  recoverKey,
} from '../../admin/managed-keys.ts'
import { dependentsOf } from '../../admin/destruction.ts'
import type { KeyRow, ListedKey } from '../../admin/managed-keys.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { State } from '../../kmip/model/enumerations.ts'
import { newest } from '../../kmip/model/versions.ts'
import { attributesOf } from '../../keystore/object-attributes.ts'
import type { Store } from '../../keystore/store.ts'
import { withdrawnText } from '../../keystore/withdrawal.ts'
import type { HeldInstance } from '../../keystore/attribute-set.ts'
import { copiesTable, copyJson } from '../copies-table.ts'
import { copiesOf } from '../../exchange/key-copies.ts'
import { argument, command, integer, text, textOr, toggle, type Context } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import {
  dependentsJson,
  dependentsText,
  destructionJson,
  destructionText,
} from '../key-dependents.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, jsonDocument, moment, pairs, table } from '../output.ts'
import type { Style } from '../output.ts'

const identifier = argument('unique identifier, or as much of its beginning as is unambiguous')

export const keyList = command({
  words: 'key list',
  summary: 'list keys and other managed objects, newest first',
  options: {
    group: textOr('GROUP', 'default', 'group of keys'),
    library: text('NAME', 'only those that this library made'),
    barcode: text('BARCODE', 'only keys of this cartridge'),
    state: text('STATE', 'only those in this state, such as Active or Destroyed'),
    limit: integer('N', 100, 'most keys to list'),
  },
  exits: keystoreExits,
  examples: ['key list --barcode KR0001L8', 'key list --group vault --state Destroyed --json'],
  async run({ options, context }) {
    const { library: owner, ...filter } = options
    const state = stateOption(options.state)
    const { rows, more } = await withStore(context, async (store) => {
      const listed = await listKeys(store, { ...filter, state, owner }, context.io.now())
      if (listed.rows.length === 0) await store.read((work) => demandKnown(work, options))
      return listed
    })
    if (more) context.say(`only the newest ${rows.length} are shown; --limit N shows more`)
    const columns = {
      ID: ({ id }: KeyRow) => id,
      TYPE: ({ type }: KeyRow) => type,
      STATE: ({ state, held }: ListedKey) => (held ? `${state}, held` : state),
      KEY: algorithmText,
      CARTRIDGE: ({ barcode }: KeyRow) => barcode,
      OWNER: ({ owner: name }: KeyRow) => name,
      CREATED: ({ created }: KeyRow) => moment(created),
    }
    const empty = `no such keys in group ${options.group}`
    return {
      json: { keys: rows.map(rowJson), more },
      text: table(columns, rows, context.style, empty),
    }
  },
})

/** A state as typed, in whatever case; usage error when there is none of that name. */
function stateOption(typed: string | undefined): string | undefined {
  if (typed === undefined) return undefined
  const states = State.names(newest.number)
  const word = typed.toLowerCase().replaceAll(/[^a-z]/g, '')
  const state = states.find((name) => name.toLowerCase() === word)
  if (state !== undefined) return state
  throw new UserError(
    'usage',
    `there is no state ${JSON.stringify(typed)}`,
    `the states are ${states.join(', ')}`,
    { exitStatus: exitStatus.usage },
  )
}

export const keyShow = command({
  words: 'key show',
  summary: 'show the attributes of one key and where copies of it went, never its material',
  arguments: { ID: identifier },
  exits: keystoreExits,
  examples: ['key show 6f1c0d2e', 'key show 6f1c0d2e --json'],
  async run({ arguments: { ID }, context }) {
    const { row, attributes, copies, dependents, destruction } = await withStore(
      context,
      async (store) => {
        const found = await store.read(async (work) => {
          const object = await findKey(work, ID)
          return { row: keyRow(object, work.now), attributes: attributesOf(object, work.now) }
        })
        const copies = await copiesOf(store, found.row.id)
        return {
          ...found,
          copies,
          ...(await dependentsOf(store, found.row.id, copies, context.config.journal)),
        }
      },
    )
    const shown = attributes.map(
      (instance) => [attributeName(instance), valueText(instance)] as const,
    )
    return {
      json: {
        ...rowJson(row),
        ...dependentsJson(dependents),
        ...(destruction && { destruction: destructionJson(destruction) }),
        attributes: attributes.map((instance) => ({
          name: attributeName(instance),
          index: instance.index,
          value: instance.value,
        })),
        exports: copies.map(copyJson),
      },
      text: [
        rowText(row, context.style),
        dependentsText(dependents, context.style),
        ...(destruction ? [destructionText(destruction, context.style)] : []),
        pairs(shown, context.style),
        ...(copies.length === 0 ? [] : [copiesTable(copies, context.style)]),
      ].join('\n\n'),
    }
  },
})

export const keyDestroy = command({
  words: 'key destroy',
  summary: "destroy a key; its group's policy says when it is wiped for good",
  arguments: { ID: identifier },
  options: { dryRun: toggle('say what would happen, change nothing') },
  exits: [...keystoreExits, exitStatus.policy],
  examples: ['key destroy 6f1c0d2e --dry-run', 'key destroy 6f1c0d2e --yes'],
  async run({ arguments: { ID }, options: { dryRun }, context }) {
    return withStore(context, async (store) => {
      if (dryRun) return destroyRehearsal(store, ID, context)
      const { before, days } = await store.read(async (work) => {
        const object = await findKey(work, ID)
        return { before: keyRow(object, work.now), days: await daysUntilWipe(work, object) }
      })
      const wipe = wipeText(days)
      const tape = tapeText(before)
      const expected = before.barcode ?? before.id.slice(0, 8)
      await confirmTyped(context, { what: `destroy key ${before.id}${tape} (${wipe})`, expected })
      const row = await destroyKey(store, before.id)
      const note = days === 0 ? '' : `; until then:  keyreel key recover ${row.id}`
      return { json: rowJson(row), text: `key ${row.id}${tape} is destroyed, ${wipe}${note}` }
    })
  },
})

/** Who still needs the key, also where Destroy would be refused: the exit status then tells. */
async function destroyRehearsal(store: Store, prefix: string, { style, config }: Context) {
  const { before, days } = await store.read(async (work) => {
    const object = await findKey(work, prefix)
    const days = await daysUntilWipe(work, object).catch(refusalByPolicy)
    return { before: keyRow(object, work.now), days }
  })
  const isRefused = days instanceof UserError
  const copies = await copiesOf(store, before.id)
  const { dependents } = await dependentsOf(store, before.id, copies, config.journal)
  const line = isRefused
    ? `would not destroy key ${before.id}${tapeText(before)}: ${days.message}`
    : `would destroy key ${before.id}${tapeText(before)}; it would be ${wipeText(days)}`
  return {
    json: {
      ...rowJson(before),
      ...(isRefused ? { wouldBeRefused: days.code } : { wouldWipeAfterDays: days }),
      ...dependentsJson(dependents),
      exports: copies.map(copyJson),
    },
    text: [
      line,
      dependentsText(dependents, style),
      ...(copies.length === 0 ? [] : [copiesTable(copies, style)]),
    ].join('\n\n'),
    exitStatus: isRefused ? exitStatus.policy : (0 as const),
  }
}

function refusalByPolicy(error: unknown): UserError {
  if (error instanceof UserError && error.exitStatus === exitStatus.policy) return error
  throw error
}

function wipeText(days: number): string {
  return days === 0 ? 'wiped at once' : `wiped in ${days} days`
}

function tapeText({ barcode }: KeyRow): string {
  return barcode === undefined ? '' : ` of cartridge ${barcode}`
}

export const keyRecover = command({
  words: 'key recover',
  summary: 'bring back a destroyed key that has not been wiped yet, or one that was withdrawn',
  details:
    'A key that its own site has withdrawn opens tapes here again, against the word of that site: it wants the ' +
    'barcode typed back, or --yes. A key that is both destroyed and withdrawn is recovered twice.',
  arguments: { ID: identifier },
  exits: keystoreExits,
  examples: ['key recover 6f1c0d2e', 'key recover 6f1c0d2e --json'],
  async run({ arguments: { ID }, context }) {
    return withStore(context, async (store) => {
      const { before, withdrawn } = await store.read(async (work) => {
        const object = await findKey(work, ID)
        return { before: keyRow(object, work.now), withdrawn: withdrawnText(object) }
      })
      const tape = tapeText(before)
      if (before.destroyed === undefined && withdrawn !== undefined) {
        const expected = before.barcode ?? before.id.slice(0, 8)
        const what = `use key ${before.id}${tape} again, which ${withdrawn}`
        await confirmTyped(context, { what, expected })
      }
      const row = await recoverKey(store, before.id)
      const still = row.withdrawn === undefined ? '' : '; it is still withdrawn'
      return { json: rowJson(row), text: `key ${row.id}${tape} is back, ${row.state}${still}` }
    })
  },
})

function algorithmText({ algorithm, length }: KeyRow): string | undefined {
  return algorithm === undefined ? undefined : `${algorithm}${length ? `-${length}` : ''}`
}

function rowJson(row: KeyRow) {
  const { created, destroyed, wipeAfter, withdrawn, ...facts } = row
  return {
    ...facts,
    created: isoMoment(created),
    destroyed: isoMoment(destroyed),
    wipeAfter: isoMoment(wipeAfter),
    withdrawn: isoMoment(withdrawn),
  }
}

function rowText(row: KeyRow, style: Style): string {
  return pairs(
    [
      ['key', row.id],
      ['group', row.group],
      ['type', row.type],
      ['state', row.state],
      ['key type', algorithmText(row)],
      ['cartridge', row.barcode],
      ['owner', row.owner],
      ['created', moment(row.created)],
      ['destroyed', moment(row.destroyed)],
      ['wiped after', moment(row.wipeAfter)],
      ['withdrawn', moment(row.withdrawn)],
      ['material', row.hasMaterial ? 'kept, sealed' : 'none'],
    ],
    style,
  )
}

/** The KMIP name: vendor attributes as vendor and name, further instances with their index. */
function attributeName({ tag, value, index }: HeldInstance): string {
  if (tag !== 'Attribute') return index === 0 ? tag : `${tag}[${index}]`
  const { VendorIdentification, AttributeName } = value as Record<string, string>
  return `${VendorIdentification}-${AttributeName}`
}

function valueText({ tag, value }: HeldInstance): string {
  if (typeof value === 'bigint') return tag.endsWith('Date') ? (moment(value) ?? '') : String(value)
  if (tag === 'Attribute') {
    const { AttributeValue } = value as { AttributeValue: { type: string; value: unknown } }
    if (AttributeValue.type === 'DateTime') return moment(AttributeValue.value as bigint) ?? ''
    return String(AttributeValue.value)
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value !== 'object' || value === null) return String(value)
  return jsonDocument(value).replaceAll(/\n\s*/g, ' ')
}
