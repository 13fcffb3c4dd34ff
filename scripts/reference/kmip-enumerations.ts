// docs/reference/kmip-enumerations.md: every enumeration and mask with the versions of its values, from
// the rows of the model.
import * as enumerations from '../../src/kmip/model/enumerations.ts'
import * as masks from '../../src/kmip/model/masks.ts'
import { newest, versions } from '../../src/kmip/model/versions.ts'
import type { Names } from '../../src/kmip/ttlv-codec/enumerations.ts'
import { sections, spaced, table } from './markdown.ts'

const intro = `
Every enumeration and mask of KMIP 1.0 to ${newest.text} that keyreel reads and writes, with the versions that have a
value. Names are those of the XML and JSON encodings, which commands and the log use too. That a value
can be read does not mean that it is served: see [KMIP](kmip.md) for what is.
`

export const enumerationsPage = {
  title: 'Enumerations',
  about: 'every enumeration and mask of KMIP, with the versions that have each value',
  body: () =>
    sections(intro, '## Enumerations', ...parts(enumerations), '## Masks', ...parts(masks)),
}

/** By name: a module's members have no order of their own. */
function parts(module: object): string[] {
  return Object.values(module)
    .filter(isNames)
    .sort((one, other) => (one.enumerationName < other.enumerationName ? -1 : 1))
    .flatMap(partsOf)
}

function partsOf(names: Names<string>): string[] {
  const byRange = new Map<string, string[]>()
  for (const name of new Set(versions.flatMap(({ number }) => names.names(number)))) {
    const range = rangeOf(names, name)
    byRange.set(range, [...(byRange.get(range) ?? []), name])
  }
  const rows = [...byRange].sort(([one], [other]) => (one < other ? -1 : 1))
  return [
    `### ${spaced(names.enumerationName)}`,
    table(
      ['versions', 'values'],
      rows.map(([range, values]) => [range, values.join(', ')]),
    ),
  ]
}

function isNames(value: unknown): value is Names<string> {
  return typeof value === 'object' && value !== null && 'enumerationName' in value
}

/** `1.2 on`, `1.0 to 1.4`. */
function rangeOf(names: Names<string>, name: string): string {
  const having = versions.filter(({ number }) => names.names(number).includes(name))
  const [first] = having
  const last = having.at(-1)
  return last === newest ? `${first?.text} on` : `${first?.text} to ${last?.text}`
}
