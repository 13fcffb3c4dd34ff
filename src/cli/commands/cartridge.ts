// `keyreel cartridge …`: tapes by barcode, with the history of their keys.
import { dateOf } from '../../access/identity.ts'
import { demandKnown } from '../../access/groups.ts'
import { cartridgeHistory } from '../../admin/cartridge-history.ts'
import type { CartridgeHistory } from '../../admin/cartridge-history.ts'
import { UserError } from '../../errors.ts'
import { copiesOf, withFates, type KeyCopy } from '../../exchange/key-copies.ts'
import type { Store } from '../../keystore/store.ts'
import { cartridgesNamed, cartridgesOf } from '../../keystore/cartridges.ts'
import type { Cartridge, CartridgeKey } from '../../keystore/cartridges.ts'
import { auditEntryJson } from '../audit-table.ts'
import { argument, command, text, textOr } from '../command.ts'
import { copiesTable, copyJson } from '../copies-table.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, isoMoment, moment, pairs, table } from '../output.ts'
import type { Style } from '../output.ts'
import type { AuditEntry } from '../../keystore/work.ts'

/** Events printed for one cartridge; --json has them all. */
const eventsShown = 20

const group = textOr('GROUP', 'default', 'group of keys')

export const cartridgeList = command({
  words: 'cartridge list',
  summary: 'list the cartridges by barcode',
  options: { group, library: text('NAME', 'only those with a key that this library made') },
  exits: keystoreExits,
  examples: ['cartridge list', 'cartridge list --library alpha --json'],
  async run({ options, context }) {
    const rows = await withStore(context, (store) =>
      store.read(async (work) => {
        const found = await cartridgesOf(work, options.group, options.library)
        if (found.length === 0) await demandKnown(work, options)
        return found
      }),
    )
    const columns = {
      BARCODE: ({ barcode }: Cartridge) => barcode,
      'CURRENT KEY': (cartridge: Cartridge) => currentKey(cartridge)?.id,
      KEYS: ({ keys }: Cartridge) => keys.length,
      ...(rows.some((row) => heldText(row) !== undefined) && { HELD: heldText }),
      LIBRARIES: ({ libraries }: Cartridge) => libraries.join(' '),
      'KEY MADE': ({ keys }: Cartridge) => moment(keys[0]?.created),
    }
    const empty = `no cartridges in group ${options.group} yet`
    return {
      json: rows.map((cartridge) => cartridgeJson(cartridge)),
      text: table(columns, rows, context.style, empty),
    }
  },
})

export const cartridgeShow = command({
  words: 'cartridge show',
  summary: 'show one cartridge: its current key, earlier keys, and who used them',
  arguments: { BARCODE: argument('barcode, with or without the media identifier') },
  options: { group },
  exits: keystoreExits,
  examples: ['cartridge show KR0001L8', 'cartridge show KR0001L8 --group vault --json'],
  async run({ arguments: { BARCODE }, options, context }) {
    const found = await withStore(context, async (store) => {
      const cartridges = await store.read((work) => cartridgesNamed(work, options.group, BARCODE))
      return Promise.all(
        cartridges.map(async (cartridge) => ({
          cartridge,
          history: await historyOf(store, cartridge),
        })),
      )
    })
    if (found.length === 0) {
      throw new UserError(
        'no-such-cartridge',
        `no key in group ${options.group} is for a cartridge ${JSON.stringify(BARCODE)}`,
        'list those there are:  keyreel cartridge list, or look in another group with --group',
      )
    }
    return {
      json: found.map(({ cartridge, history }) => cartridgeJson(cartridge, history)),
      text: found
        .map(({ cartridge, history }) => cartridgeText(cartridge, history, context.style))
        .join('\n\n'),
    }
  },
})

/** What happened to a cartridge, and the copies of its keys at other sites, newest first. */
type History = CartridgeHistory & { readonly exports: readonly KeyCopy[] }

async function historyOf(store: Store, cartridge: Cartridge): Promise<History> {
  const exports: KeyCopy[] = []
  for (const { id } of cartridge.keys) exports.push(...(await copiesOf(store, id)))
  exports.sort((a, b) => Number(b.time - a.time))
  const history = await cartridgeHistory(store, cartridge)
  return { ...history, entries: await withFates(store, history.entries), exports }
}

function currentKey({ keys }: Cartridge): CartridgeKey | undefined {
  return keys.find(({ current }) => current)
}

/** Whether the cartridge is on hold, or only some of its keys. */
function heldText({ hold, keys }: Cartridge): string | undefined {
  if (hold !== undefined) return 'yes'
  const held = keys.filter((key) => key.held).length
  return held === 0 ? undefined : counted(held, 'key')
}

function cartridgeJson(cartridge: Cartridge, history?: History) {
  const { barcode, volume, mediumSerial, librarySerial, libraries, keys } = cartridge
  return {
    barcode,
    volume,
    mediumSerial,
    librarySerial,
    group: cartridge.group,
    libraries,
    currentKey: currentKey(cartridge)?.id,
    ...(cartridge.hold && {
      hold: { since: isoMoment(cartridge.hold.since), reason: cartridge.hold.reason },
    }),
    keys: keys.map(({ created, withdrawn, ...key }) => ({
      ...key,
      withdrawn: isoMoment(withdrawn),
      created: isoMoment(created),
      lastUse: isoMoment(history?.lastUse.get(key.id)),
    })),
    ...(history && {
      exports: history.exports.map(copyJson),
      events: history.entries.map(auditEntryJson),
      eventsComplete: history.complete,
    }),
  }
}

/** Sites with copies that are in use as far as is known: `B, C`. */
function exportsText({ exports }: History): string {
  const gone = new Set(['not taken', 'withdrawn'])
  const places = exports
    .filter(({ state }) => !gone.has(state))
    .map(({ peer, time }) => `${peer} ${dateOf(time)}`)
  return places.length === 0 ? 'none' : [...new Set(places)].join(', ')
}

function cartridgeText(cartridge: Cartridge, history: History, style: Style): string {
  const { barcode, volume, mediumSerial, libraries, keys } = cartridge
  const { entries, lastUse } = history
  const newestUse = [...lastUse.values()].toSorted((a, b) => Number(b - a))[0]
  const facts = pairs(
    [
      ['cartridge', barcode],
      ['volume', volume],
      ['medium serial', mediumSerial],
      ['group', cartridge.group],
      ['libraries', libraries.join(' ')],
      ['current key', currentKey(cartridge)?.id ?? 'none: every key is destroyed'],
      ['held', cartridge.hold && `since ${moment(cartridge.hold.since)}: ${cartridge.hold.reason}`],
      ['last use', moment(newestUse) ?? 'never fetched'],
      ['exports', exportsText(history)],
    ],
    style,
  )
  const keyColumns = {
    KEY: ({ id, current }: CartridgeKey) => (current ? `${id} *` : id),
    STATE: ({ state, withdrawn, held }: CartridgeKey) =>
      [state, ...(withdrawn === undefined ? [] : ['withdrawn']), ...(held ? ['held'] : [])].join(
        ', ',
      ),
    MADE: ({ created }: CartridgeKey) => moment(created),
    BY: ({ owner }: CartridgeKey) => owner,
    'LAST USE': ({ id }: CartridgeKey) => moment(lastUse.get(id)),
  }
  const eventColumns = {
    TIME: ({ time }: AuditEntry) => moment(time),
    WHO: ({ actor }: AuditEntry) => actor.name,
    WHAT: ({ operation }: AuditEntry) => operation,
    KEY: ({ object }: AuditEntry) => object?.slice(0, 8),
    OUTCOME: ({ outcome }: AuditEntry) => outcome,
  }
  const shown = entries.slice(0, eventsShown)
  const hidden = entries.length - shown.length
  const more = hidden === 0 ? '' : `\n… and ${counted(hidden, 'earlier event')} (--json has them)`
  return [
    facts,
    table(keyColumns, keys, style, 'no keys'),
    ...(history.exports.length === 0 ? [] : [copiesTable(history.exports, style)]),
    table(eventColumns, shown, style, 'no events') + more,
  ].join('\n\n')
}
