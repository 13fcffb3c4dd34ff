// Port of the master key: the one secret outside the database, under which epoch secrets are wrapped.

/** What wraps the secrets of new epochs: a master key, or the public half of a recovery key. */
export interface EpochWrapper {
  /** Stable name, stored beside each wrap: what it is and, where there is one, the key's identifier. */
  readonly id: string
  /** Wraps an epoch secret; the caller keeps and clears `key`. */
  wrap(key: Uint8Array, context: Uint8Array): Promise<Uint8Array>
}

/** The same master key for a store of the moment: to close that store does not close it. */
export function lent(masterKey: MasterKey): MasterKey {
  const check = masterKey.check?.bind(masterKey)
  return {
    id: masterKey.id,
    wrap: (key, context) => masterKey.wrap(key, context),
    unwrap: (bytes, context) => masterKey.unwrap(bytes, context),
    ...(check !== undefined && { check }),
    close: () => undefined,
  }
}

/** What the provider of a recovery key begins with: it opens every epoch, but is no master key. */
export const recoveryProvider = 'recovery:'

/**
 * A master-key provider. It sees epoch secrets, never objects: one unwrap per epoch and start, one
 * wrap per new epoch. `context` (store and epoch) must be bound into the wrap, so that a wrap moved
 * to another store or epoch does not open. Both methods may be slow and may be retried.
 * They throw UserError: exit status 11 when the key is not available or is another one, 12 for a
 * wrong passphrase. Nobody but the provider sees the master key itself.
 */
export interface MasterKey extends EpochWrapper {
  /** Opens what `wrap` made; the caller owns the result and clears it. */
  unwrap(bytes: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  /** Resolves while the key can be used; where it can be taken away (a token), throws UserError 11 once it was. */
  check?(): Promise<void>
  /** Clears what the provider holds in memory; the provider is not used afterwards. */
  close(): void
}
