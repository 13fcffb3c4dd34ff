// `keyreel master-key rotate`: another master key, of the same or of another kind.
import { administrator } from '../../access/documents.ts'
import {
  masterKeyKinds,
  pinFrom,
  readNewPassphrase,
  tokenPlace,
} from '../../keystore/master-key-choice.ts'
import type { MasterKeyKind } from '../../keystore/master-key-choice.ts'
import { pkcs11Provider } from '../../keystore/master-key-pkcs11.ts'
import { isPassphrase } from '../../keystore/master-key-passphrase.ts'
import { rotateMasterKey } from '../../keystore/master-key-rotation.ts'
import { successor } from '../../master-keys.ts'
import type { RotationWish } from '../../master-keys.ts'
import { command, oneOf, text } from '../command.ts'
import type { Context } from '../command.ts'
import { askPassphrase } from '../dialogue.ts'
import { describe, hasShares, masterKeyOfShares, shareOptions } from '../shares.ts'
import type { Store } from '../../keystore/store.ts'
import { keystoreExits, masterKeySources, withMasterKey, withStore } from '../keystore-session.ts'
import { pairs } from '../output.ts'

export const masterKeyRotate = command({
  words: 'master-key rotate',
  summary: 'put a new master key in the place of the one in use',
  details:
    'Every epoch of the keystore is wrapped for the new master key, then the old one opens nothing any more; ' +
    'keys of tapes stay as they are, and a running server goes on. --to changes the kind; without it a new key ' +
    'file takes the place of the old one, a new passphrase that of the old, a new key in the token that of the old. ' +
    '--to pkcs11 makes the key in the token that --pkcs11-module and --pkcs11-token name. The old key file is kept under another name: ' +
    'copies of the data directory made before open only with it. --share opens the keystore by recovery shares when ' +
    'the old master key is lost; say --to then. Cut off, the same command ends what was begun.',
  options: {
    to: oneOf(masterKeyKinds, 'kind of the new master key; that of the old one when absent'),
    newMasterKeyFile: text('FILE', 'where the new key file shall lie, or lies already'),
    ...shareOptions,
    newPassphraseFile: text('FILE', 'file with the new passphrase; asked for when absent'),
  },
  settings: ['pkcs11.module', 'pkcs11.token', 'pkcs11.pin-file'],
  exits: keystoreExits,
  examples: ['master-key rotate', 'master-key rotate --to passphrase --new-passphrase-file FILE'],
  async run({ options, context }) {
    const rotate = async (store: Store) => {
      const kind = options.to ?? kindOf(store.provider())
      const next = await successor(context.config, await wishOf(kind, options, context))
      const { provider, retired } = await rotateMasterKey(store, next, administrator)
      const epochs = (await store.epochs()).length
      const { place, keptAs } = next
      return {
        json: { provider, place, retired, epochs, ...(keptAs !== undefined && { keptAs }) },
        text: pairs(
          [
            ['master key', `${provider}, ${place}`],
            ['opens no longer', retired.join(', ')],
            ['epochs wrapped', epochs],
            ['old key file', keptAs],
            [
              'keep it',
              keptAs && 'apart from this machine, as long as there are copies made before',
            ],
          ],
          context.style,
        ),
      }
    }
    if (!hasShares(options)) return withStore(context, rotate)
    const masterKey = await masterKeyOfShares(context, options, await describe(context))
    return withMasterKey(context, masterKey, rotate)
  },
})

function kindOf(provider: string): MasterKeyKind {
  if (provider.startsWith(pkcs11Provider)) return 'pkcs11'
  return isPassphrase(provider) ? 'passphrase' : 'file'
}

/** Where the new master key comes from. */
interface NewPlaces {
  readonly newMasterKeyFile: string | undefined
  readonly newPassphraseFile: string | undefined
}

async function wishOf(
  kind: MasterKeyKind,
  { newMasterKeyFile: path, newPassphraseFile: file }: NewPlaces,
  context: Context,
): Promise<RotationWish> {
  if (kind === 'file') return { kind, path }
  if (kind === 'pkcs11') {
    const { config } = context
    const pin = pinFrom(config, masterKeySources(context))
    return { kind, place: tokenPlace(config), pin, pinFile: config['pkcs11.pin-file'] }
  }
  // What the service is given is the present passphrase: only a file or a person can bring the new one.
  const passphrase = await readNewPassphrase(file, {
    environment: {},
    askPassphrase: () => askPassphrase(context, 'new master passphrase', { fresh: true }),
  })
  return { kind, passphrase }
}
