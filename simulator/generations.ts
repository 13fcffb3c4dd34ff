// LTO generations as two tables: what is recorded on a medium, and which media a drive takes.
// Density codes and media identifiers as in public documents; read and write compatibility as
// generally known: one generation back for writing, two for reading up to LTO-7, one from LTO-8 on.

/** The longest key-associated data a medium holds, in bytes (Tape Library Profile 1.0, section 1.1). */
export interface KadLimits {
  readonly ukad: number
  readonly akad: number
}

interface MediumRow {
  readonly generation: number
  readonly density: number
  /** The two characters at the end of the barcode label: data cartridge, and WORM where it exists. */
  readonly dataId: string
  readonly wormId?: string
  readonly kadLimits: KadLimits
}

const lto4Limits: KadLimits = { ukad: 32, akad: 12 }
const laterLimits: KadLimits = { ukad: 32, akad: 60 }

/** One row per recording format; the limits of LTO-7 and later are taken to be those of LTO-5. */
export const mediumFormats = {
  'LTO-4': { generation: 4, density: 0x46, dataId: 'L4', wormId: 'LU', kadLimits: lto4Limits },
  'LTO-5': { generation: 5, density: 0x58, dataId: 'L5', wormId: 'LV', kadLimits: laterLimits },
  'LTO-6': { generation: 6, density: 0x5a, dataId: 'L6', wormId: 'LW', kadLimits: laterLimits },
  'LTO-7': { generation: 7, density: 0x5c, dataId: 'L7', wormId: 'LX', kadLimits: laterLimits },
  M8: { generation: 8, density: 0x5d, dataId: 'M8', kadLimits: laterLimits },
  'LTO-8': { generation: 8, density: 0x5e, dataId: 'L8', wormId: 'LY', kadLimits: laterLimits },
  'LTO-9': { generation: 9, density: 0x60, dataId: 'L9', wormId: 'LZ', kadLimits: laterLimits },
} as const satisfies Record<string, MediumRow>

export type MediumFormat = keyof typeof mediumFormats

interface DriveRow {
  readonly reads: readonly MediumFormat[]
  readonly writes: readonly MediumFormat[]
  readonly kadLimits: KadLimits
}

/** One row per drive generation. `kadLimits` are reported while no medium is loaded. */
export const driveGenerations = {
  4: { reads: ['LTO-4'], writes: ['LTO-4'], kadLimits: lto4Limits },
  5: { reads: ['LTO-4', 'LTO-5'], writes: ['LTO-4', 'LTO-5'], kadLimits: laterLimits },
  6: { reads: ['LTO-4', 'LTO-5', 'LTO-6'], writes: ['LTO-5', 'LTO-6'], kadLimits: laterLimits },
  7: { reads: ['LTO-5', 'LTO-6', 'LTO-7'], writes: ['LTO-6', 'LTO-7'], kadLimits: laterLimits },
  8: { reads: ['LTO-7', 'M8', 'LTO-8'], writes: ['LTO-7', 'M8', 'LTO-8'], kadLimits: laterLimits },
  9: { reads: ['LTO-8', 'LTO-9'], writes: ['LTO-8', 'LTO-9'], kadLimits: laterLimits },
} as const satisfies Record<number, DriveRow>

export type DriveGeneration = keyof typeof driveGenerations

/** The row of a format, widened so that rows without a WORM variant can be asked for one. */
export const mediumRow = (format: MediumFormat): MediumRow => mediumFormats[format]

/** The row of a drive generation. */
export const driveRow = (generation: DriveGeneration): DriveRow => driveGenerations[generation]

/** The recording format and WORM property a label's media identifier stands for. */
export function formatOfMediaId(id: string): { format: MediumFormat; worm: boolean } | undefined {
  for (const format of Object.keys(mediumFormats) as MediumFormat[]) {
    const { dataId, wormId } = mediumRow(format)
    if (id === dataId) return { format, worm: false }
    if (id === wormId) return { format, worm: true }
  }
  return undefined
}
