/**
 * Identifiers of tapes that libraries look for in vain (Locate by Application Specific Information): noted in
 * memory, so that a search stays cheap, and taken from here to be kept.
 */
import { tapeNamespace } from '../../keystore/namespaces.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'

/** One identifier, as it was looked for last. */
export interface UnknownTape {
  readonly group: string
  readonly namespace: string
  readonly data: string
  readonly library: string
  /** Seconds since 1970. */
  readonly asked: bigint
}

/** Identifiers noted between two takings; further ones are left out until then. */
const mostNoted = 10_000
/** No identifier on a tape is longer. */
const longestData = 256

/** What was looked for in vain since it was last taken. */
export class UnknownTapes {
  #noted = new Map<string, UnknownTape>()

  /** Notes the tape identifiers among the attributes of a search. */
  note(
    wanted: readonly AttributeInstance[],
    { group, library, asked }: Pick<UnknownTape, 'group' | 'library' | 'asked'>,
  ): void {
    for (const { tag, value } of wanted) {
      if (tag !== 'ApplicationSpecificInformation') continue
      const { ApplicationNamespace: namespace, ApplicationData: data } = value as {
        ApplicationNamespace?: string
        ApplicationData?: string
      }
      if (namespace === undefined || data === undefined || data.length > longestData) continue
      const tape = tapeNamespace(namespace)
      if (tape === undefined || tape.length > longestData) continue
      const name = `${group}\u0000${tape}\u0000${data}`
      if (this.#noted.size < mostNoted || this.#noted.has(name))
        this.#noted.set(name, { group, namespace: tape, data, library, asked })
    }
  }

  /** Everything noted, which is forgotten here. */
  take(): readonly UnknownTape[] {
    const noted = [...this.#noted.values()]
    this.#noted = new Map()
    return noted
  }
}
