/** Discover Versions – KMIP 2.1 §6.1.16. Ours, best first; or those of the client's list that are ours. */
import { newestFirst } from '../model/versions.ts'
import { operation } from './operation.ts'

export const discoverVersions = operation('DiscoverVersions', {
  effect: 'none',
  run({ ProtocolVersion: wanted }) {
    const ours = newestFirst.map(({ major, minor }) => ({
      ProtocolVersionMajor: major,
      ProtocolVersionMinor: minor,
    }))
    const common = ours.filter((our) =>
      wanted.some(
        ({ ProtocolVersionMajor, ProtocolVersionMinor }) =>
          our.ProtocolVersionMajor === ProtocolVersionMajor &&
          our.ProtocolVersionMinor === ProtocolVersionMinor,
      ),
    )
    return Promise.resolve({ ProtocolVersion: wanted.length === 0 ? ours : common })
  },
})
