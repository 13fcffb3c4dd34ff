/** Which protocol version to speak with a server – KMIP 2.1 §6.1.16 "Discover Versions". */
import { peekVersion, version, type Version, type VersionText } from 'ttlv-codec'
import { newestFirst, supported, versionOf } from '../model/versions.ts'
import { decodeResponse } from './answers.ts'
import { encodeRequest } from './batch.ts'
import { ConnectionError, ResultError } from './errors.ts'
import type { Link } from './link.ts'

/**
 * The first of `wanted` (all, newest first, when absent) that the server has; nothing is asked
 * where only one is wanted. Rejects with ConnectionError `version` when there is none.
 */
export async function negotiate(
  link: Pick<Link, 'send'>,
  wanted: readonly VersionText[] = newestFirst.map((row) => row.text),
): Promise<Version> {
  const numbers = [...new Set(wanted.map(version))]
  if (numbers.length === 1) return numbers[0]!
  const { offered, problem } = await discover(link, numbers)
  const agreed = numbers.find((number) => offered.includes(number))
  if (agreed !== undefined) return agreed
  throw new ConnectionError('version', `the server speaks none of KMIP ${wanted.join(', ')}`, {
    cause: problem,
  })
}

/** A server too old for the question speaks 1.0; any other refusal is written in a version it speaks. */
async function discover(
  link: Pick<Link, 'send'>,
  wanted: readonly Version[],
): Promise<{ offered: readonly Version[]; problem?: unknown }> {
  const oldest = Math.max(Math.min(...wanted), version('1.1'))
  const ProtocolVersion = wanted.map((number) => ({
    ProtocolVersionMajor: number >> 8,
    ProtocolVersionMinor: number & 0xff,
  }))
  const items = [{ operation: 'DiscoverVersions', payload: { ProtocolVersion } }] as const
  const answer = await link.send(encodeRequest(items, oldest), { safe: true })
  const said = peekVersion(answer) ?? oldest
  const older = [said, version('1.0')]
  try {
    // The version is not agreed on yet: one that speaks another may answer in it.
    const [result] = decodeResponse(answer, items, supported(said) ? said : oldest)
    if (result.status === 'Failed') return { offered: older, problem: result.error }
    if (result.status === 'NotRun') return { offered: older }
    return {
      offered: result.payload.ProtocolVersion.map((offer) =>
        versionOf(offer.ProtocolVersionMajor, offer.ProtocolVersionMinor),
      ),
    }
  } catch (problem) {
    if (!(problem instanceof ResultError)) throw problem
    return { offered: older, problem }
  }
}
