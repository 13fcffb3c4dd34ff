// `keyreel key hold | release`, `keyreel cartridge hold | release`: what is not to be destroyed.
import {
  holdCartridge,
  holdKey,
  releaseCartridge,
  releaseKey,
  type Held,
} from '../../admin/holds.ts'
import { exitStatus } from '../../errors.ts'
import { argument, command, requiredText, textOr } from '../command.ts'
import type { Report } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted } from '../output.ts'

const identifier = argument('unique identifier, or as much of its beginning as is unambiguous')
const barcode = argument('barcode, with or without the media identifier')
const group = textOr('GROUP', 'default', 'group of keys')
const reason = requiredText(
  'TEXT',
  'why, such as the number of a case; shown to administrators only',
)

const about =
  'A held key is not destroyed, replaced or wiped, neither by a library nor by a command, whatever the ' +
  'policy of its group says. '

export const keyHold = command({
  words: 'key hold',
  summary: 'hold a key: it is not destroyed, replaced or wiped until it is released',
  details: about,
  arguments: { ID: identifier },
  options: { reason },
  exits: [...keystoreExits, exitStatus.policy],
  examples: ['key hold 6f1c0d2e --reason lawsuit', 'key hold 6f1c0d2e --reason audit --json'],
  async run({ arguments: { ID }, options, context }) {
    const held = await withStore(context, (store) => holdKey(store, ID, options.reason))
    return report(held, `key ${held.keys[0]} is held: it is not destroyed until it is released`)
  },
})

export const keyRelease = command({
  words: 'key release',
  summary: 'release a held key: it may be destroyed again',
  arguments: { ID: identifier },
  exits: keystoreExits,
  examples: ['key release 6f1c0d2e', 'key release 6f1c0d2e --json'],
  async run({ arguments: { ID }, context }) {
    const held = await withStore(context, (store) => releaseKey(store, ID))
    return report(held, `key ${held.keys[0]} is released`)
  },
})

export const cartridgeHold = command({
  words: 'cartridge hold',
  summary: 'hold all keys of a cartridge, those made later too',
  details: about,
  arguments: { BARCODE: barcode },
  options: { group, reason },
  exits: [...keystoreExits, exitStatus.policy],
  examples: [
    'cartridge hold KR0001L8 --reason lawsuit',
    'cartridge hold KR0001L8 --group vault --reason audit --json',
  ],
  async run({ arguments: { BARCODE }, options, context }) {
    const held = await withStore(context, (store) =>
      holdCartridge(store, options.group, BARCODE, options.reason),
    )
    const what = `${held.cartridges.join(', ')} is held, with ${counted(held.keys.length, 'key')}`
    return report(held, `cartridge ${what}: not destroyed until it is released`)
  },
})

export const cartridgeRelease = command({
  words: 'cartridge release',
  summary: 'release a held cartridge and its keys',
  arguments: { BARCODE: barcode },
  options: { group },
  exits: keystoreExits,
  examples: ['cartridge release KR0001L8', 'cartridge release KR0001L8 --group vault --json'],
  async run({ arguments: { BARCODE }, options, context }) {
    const held = await withStore(context, (store) =>
      releaseCartridge(store, options.group, BARCODE),
    )
    return report(held, `cartridge ${held.cartridges.join(', ')} is released`)
  },
})

function report(json: Held, text: string): Report {
  return { json, text }
}
