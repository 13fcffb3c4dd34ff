// Schemas with named values: enumerations (one name each) and masks (an Integer of named bits).
// Enumerations are open: a number without a name stays a number, so it can be reported or refused.

import { itemTypes, numberHex } from './items.ts'
import { namedNumbers } from './named-numbers.ts'
import type { NamedNumber, NamedNumbers } from './named-numbers.ts'
import type { Schema } from './schema.ts'
import { covers, versionText } from './versions.ts'
import type { Rows, Version } from './versions.ts'
import type { Writer } from './writer.ts'

/** The names when they are known one by one; nothing when any string may be a name. */
type Specific<Name extends string> = string extends Name ? never : Name

/** What can be asked about the names of an enumeration or a mask. */
export interface Names<Name extends string, Known = Specific<Name>> {
  /** The name of the enumeration or mask itself. */
  readonly enumerationName: string
  /** The number of a name; a number is itself; undefined for an unknown name. */
  numberOf(value: Known | number): number
  numberOf(value: string | number): number | undefined
  /** The name of a number, or undefined. */
  nameOf(number: number): Name | undefined
  /** The version a name came with; 0 when its row tells none. */
  since(name: Name): Version
  /** The names that are part of a version, in the order of the rows. */
  names(version: Version): readonly Name[]
  /** Whether that is a name, and part of a version. */
  has(name: string, version: Version): name is Name
}

/** Schema of an enumeration: a name, or a number where there is no name for it. */
export interface EnumerationSchema<Name extends string = string, Known = Specific<Name>>
  extends Schema<Name | number, 'Enumeration'>, Names<Name, Known> {}

/** Schema of a mask: a signed 32-bit number, `mask.bits.Encrypt | mask.bits.Decrypt`. */
export interface MaskSchema<Name extends string = string, Known = Specific<Name>>
  extends Schema<number, 'Integer'>, Names<Name, Known> {
  readonly bits: { readonly [K in Name]: number }
}

/** Declares an enumeration: `enumeration('ObjectType', { Certificate: 1, … })`. */
export function enumeration<const R extends Rows>(
  name: string,
  rows: R,
): EnumerationSchema<keyof R & string> {
  type Name = keyof R & string
  const table = namedNumbers(rows)
  return {
    itemType: 'Enumeration',
    ...names<Name>(name, table),
    size(value, writer) {
      if (typeof value === 'number') {
        if (value !== value >>> 0) writer.fail('value', `${value} is not unsigned 32-bit`)
        return 16
      }
      const row = table.row(value)
      if (row === undefined) return writer.fail('value', `not a name of ${name}`)
      if (!covers(row, writer.version)) failVersion(writer, row)
      return 16
    },
    write(value, writer, tag) {
      const number = typeof value === 'number' ? value : (table.row(value)?.number ?? 0)
      writer.int32(tag, itemTypes.Enumeration, number)
    },
    read(reader) {
      reader.expect(itemTypes.Enumeration)
      const number = reader.view.getUint32(reader.position)
      const row = table.rowOf(number, reader.version)
      // Values from 80000000 on are extensions, part of every version.
      const isPart = row === undefined ? number >= 0x8000_0000 : covers(row, reader.version)
      if (reader.strict && !isPart) {
        const version = versionText(reader.version)
        reader.fail('value', `${numberHex(number)} is no ${name} of KMIP ${version}`)
      }
      reader.skip()
      return row === undefined ? number : (row.name as Name)
    },
  }
}

/** Declares a mask: `mask('CryptographicUsageMask', { Sign: 1, Verify: 2, … })`. */
export function mask<const R extends Rows>(name: string, rows: R): MaskSchema<keyof R & string> {
  type Name = keyof R & string
  const table = namedNumbers(rows, (number) => number | 0)
  return {
    itemType: 'Integer',
    ...names<Name>(name, table),
    bits: Object.fromEntries(table.all.map((row) => [row.name, row.number])) as {
      [K in Name]: number
    },
    size(value, writer) {
      if (value !== (value | 0) && value !== value >>> 0) {
        writer.fail('value', `${typeof value === 'number' ? value : typeof value} is not 32-bit`)
      }
      for (const row of table.all) {
        if ((value & row.number) !== 0 && !covers(row, writer.version)) failVersion(writer, row)
      }
      return 16
    },
    write: (value, writer, tag) => writer.int32(tag, itemTypes.Integer, value),
    read(reader) {
      reader.expect(itemTypes.Integer)
      const value = reader.view.getInt32(reader.position)
      if (reader.strict) {
        let known = 0
        for (const row of table.all) if (covers(row, reader.version)) known |= row.number
        if ((value & ~known) !== 0) {
          const version = versionText(reader.version)
          reader.fail(
            'value',
            `${numberHex(value)} has bits that ${name} of KMIP ${version} has not`,
          )
        }
      }
      reader.skip()
      return value
    },
  }
}

function names<Name extends string>(name: string, table: NamedNumbers): Names<Name> {
  const byVersion = new Map<Version, readonly Name[]>()
  return {
    enumerationName: name,
    numberOf: ((value: string | number) =>
      typeof value === 'number' ? value : table.row(value)?.number) as Names<Name>['numberOf'],
    nameOf: (number) => table.rowOf(number)?.name as Name | undefined,
    since: (rowName) => table.row(rowName)?.since ?? 0,
    names(version) {
      const known = byVersion.get(version)
      if (known !== undefined) return known
      const found = table.all.filter((row) => covers(row, version)).map((row) => row.name as Name)
      byVersion.set(version, found)
      return found
    },
    has(rowName, version): rowName is Name {
      const row = table.row(rowName)
      return row !== undefined && covers(row, version)
    },
  }
}

function failVersion(writer: Writer, row: NamedNumber): never {
  const version = versionText(writer.version)
  const change =
    writer.version < row.since
      ? `came with KMIP ${versionText(row.since)}`
      : `went after KMIP ${versionText(row.until)}`
  return writer.fail('newer-than-version', `${row.name} ${change}, writing ${version}`)
}
