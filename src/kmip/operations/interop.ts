/**
 * Interop – KMIP 2.1 §6.1.26, §11.22. Only in test mode: elsewhere it does not exist. Begin and End mark
 * a test in the audit record; Reset destroys and wipes what the client that asks has made since the server
 * was started for tests, so that a real key is safe even from a real server started wrongly.
 */
import { groupPolicy } from '../../access/policy.ts'
import { refuseHeld } from '../../keystore/holds.ts'
import { loadObject, saveObject } from '../../keystore/keystore.ts'
import { KmipError } from '../model/result.ts'
import { operation, type Context } from './operation.ts'
import { printable } from './printable.ts'

const objectsPerSearch = 1000

export const interop = operation('Interop', {
  effect: 'act',
  async run({ InteropFunction, InteropIdentifier }, context) {
    if (typeof InteropFunction === 'number')
      throw new KmipError('UnknownEnumeration', `unknown Interop Function ${InteropFunction}`)
    const wiped = InteropFunction === 'Reset' ? { wiped: await wipeOwn(context) } : {}
    context.noted.details = {
      function: InteropFunction,
      test: printable(InteropIdentifier),
      ...wiped,
    }
    return {}
  },
})

/** Destroys everything that is the client's own, in whatever state it is; answers how much that was. */
async function wipeOwn({ work, principal, now, facts }: Context): Promise<number> {
  const { destroyAfterDays } = await groupPolicy(work, principal.group)
  if (destroyAfterDays === undefined)
    throw new KmipError(
      'PermissionDenied',
      `group ${principal.group} refuses Destroy by its policy`,
    )
  const query = {
    group: principal.group,
    owner: principal.owner,
    equals: [],
    ranges: [{ column: 'initialDate', from: facts.testingSince }],
    destroyed: 'exclude',
    archived: 'include',
    offset: 0,
    limit: objectsPerSearch,
  } as const
  for (let wiped = 0; ;) {
    const { ids } = await work.find(query)
    if (ids.length === 0) return wiped
    for (const id of ids) {
      const object = await loadObject(work, principal.group, id)
      // The column that found it is not trusted: only the record says whose it is.
      if (object?.vitals.Owner !== principal.owner) return wiped
      await refuseHeld(work, object)
      object.vitals.DestroyDate = now
      object.vitals.LastChangeDate = now
      object.vitals.WipeAfter = now
      await saveObject(work, object)
      if (object.stored?.hasMaterial === true) await work.wipe(object.stored)
      wiped++
    }
  }
}
