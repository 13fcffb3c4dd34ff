/** Text of a peer, fit for messages, log and audit. */

/** Cut to 80 characters, and anything but printable ASCII replaced. */
export function printable(text: string): string {
  const visible = text.slice(0, 81).replaceAll(/[^\x20-\x7e]/gu, '?')
  return visible.length > 80 ? `${visible.slice(0, 80)}…` : visible
}
