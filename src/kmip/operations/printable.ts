/** Text of a peer, fit for messages, log and audit. */

/** Most texts are fit as they are, identifiers above all. */
const plain = /^[\x20-\x7e]{0,80}$/

/** Cut to 80 characters, and anything but printable ASCII replaced. */
export function printable(text: string): string {
  if (plain.test(text)) return text
  const visible = text.slice(0, 81).replaceAll(/[^\x20-\x7e]/gu, '?')
  return visible.length > 80 ? `${visible.slice(0, 80)}…` : visible
}
