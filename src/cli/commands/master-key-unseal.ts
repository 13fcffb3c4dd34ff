// `keyreel master-key unseal`: gives a sealed server what opens its keystore.
import { offer, type Offer } from '../../admin/unseal-door.ts'
import { Secret } from '../../crypto/secret.ts'
import { exitStatus } from '../../errors.ts'
import { pkcs11Provider } from '../../keystore/master-key-pkcs11.ts'
import { isPassphrase } from '../../keystore/master-key-passphrase.ts'
import { joinShares } from '../../keystore/recovery-shares.ts'
import { readSecret } from '../../keystore/secret-sources.ts'
import { command, text } from '../command.ts'
import type { Context } from '../command.ts'
import { askPassphrase, askPin } from '../dialogue.ts'
import { describe, hasShares, readShares, shareOptions, type ShareOptions } from '../shares.ts'

export const masterKeyUnseal = command({
  words: 'master-key unseal',
  summary: 'open the keystore of a server that waits sealed',
  details:
    'A server without its master key stays up, with no port open. This gives it the passphrase or PIN (asked for, or ' +
    'from --passphrase-file or --pin-file) or recovery shares; where the key is a file it tries that file again. ' +
    'It goes over a socket in the data directory, so it works on the machine and as the user of the server. ' +
    'After a rotation it gives a running server the new master key.',
  options: {
    ...shareOptions,
    pinFile: text('FILE', 'file with the PIN of the token; asked for when absent'),
  },
  exits: [exitStatus.notInitialised, exitStatus.sealed, exitStatus.wrongPassphrase],
  examples: ['master-key unseal', 'master-key unseal --share a.txt --share b.txt'],
  async run({ options, context }) {
    const given = await offerOf(options, context)
    try {
      const answer = await offer(context.config.data, given)
      return { json: { answer }, text: answer }
    } finally {
      given.secret.wipe()
    }
  },
})

async function offerOf(
  options: ShareOptions & { readonly pinFile: string | undefined },
  context: Context,
): Promise<Offer> {
  const { providers } = await describe(context)
  if (hasShares(options)) {
    const shares = await readShares(context, options)
    try {
      return { kind: 'seed', secret: joinShares(shares, providers) }
    } finally {
      for (const { value } of shares) value.wipe()
    }
  }
  const isInToken = providers.some((provider) => provider.startsWith(pkcs11Provider))
  if (isInToken && !providers.some(isPassphrase)) {
    // What the server reads by itself is no good: a person or a file named here brings the PIN.
    const secret = await readSecret('pin', options.pinFile, {
      environment: {},
      ask: () => askPin(context, ''),
    })
    return { kind: 'pin', secret }
  }
  if (!providers.some(isPassphrase)) return { kind: 'again', secret: new Secret(new Uint8Array(0)) }
  const secret = await readSecret('passphrase', context.config['passphrase-file'], {
    environment: {},
    ask: () => askPassphrase(context, 'master passphrase'),
  })
  return { kind: 'passphrase', secret }
}
