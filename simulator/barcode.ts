// Barcode labels: what the robot's reader sees. The drive never does, and no key hangs on it.
// Labels are usually six characters of volume serial and two of media identifier, but libraries
// accept others, so the raw label is kept and the volume serial derived.

import { SimulatorError } from './errors.ts'
import { formatOfMediaId } from './generations.ts'

/** How many characters a library reports of an eight-character label. */
export type BarcodeReporting = 6 | 8

/** What a label says. */
export interface Barcode {
  /** The characters as printed. */
  readonly label: string
  /** The volume serial: the label without its media identifier, where it has one. */
  readonly volser: string
  readonly kind: 'data' | 'cleaning' | 'diagnostic'
}

const labelCharacters = /^[A-Z0-9 $+%./-]{1,32}$/

/** Reads a label; throws SimulatorError 'barcode' for characters no label carries. */
export function parseBarcode(label: string): Barcode {
  if (!labelCharacters.test(label)) {
    throw new SimulatorError('barcode', `not a barcode label: ${JSON.stringify(label)}`)
  }
  const mediaId = label.length === 8 ? label.slice(6) : ''
  const marked = formatOfMediaId(mediaId) !== undefined || mediaId === 'CU' || /^L\d$/.test(mediaId)
  return { label, volser: marked ? label.slice(0, 6) : label, kind: kindOf(label, mediaId) }
}

/** The label as a library set to `characters` reports it to hosts. */
export function reportedBarcode(label: string, characters: BarcodeReporting): string {
  return characters === 6 ? parseBarcode(label).volser : label
}

function kindOf(label: string, mediaId: string): Barcode['kind'] {
  if (mediaId === 'CU' || label.startsWith('CLN')) return 'cleaning'
  return /^DG \d{3}/.test(label) ? 'diagnostic' : 'data'
}
