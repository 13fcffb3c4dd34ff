// Port of the master key: the one secret outside the database, under which epoch secrets are wrapped.

/**
 * A master-key provider. It sees epoch secrets, never objects: one unwrap per epoch and start, one
 * wrap per new epoch. `context` (store and epoch) must be bound into the wrap, so that a wrap moved
 * to another store or epoch does not open. Both methods may be slow and may be retried.
 * They throw UserError: exit status 11 when the key is not available or is another one, 12 for a
 * wrong passphrase. Nobody but the provider sees the master key itself.
 */
export interface MasterKey {
  /** Stable name of this key, stored beside each wrap: provider and, where there is one, the key's identifier. */
  readonly id: string
  /** Wraps an epoch secret; the caller keeps and clears `key`. */
  wrap(key: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  /** Opens what `wrap` made; the caller owns the result and clears it. */
  unwrap(bytes: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  /** Clears what the provider holds in memory; the provider is not used afterwards. */
  close(): void
}
