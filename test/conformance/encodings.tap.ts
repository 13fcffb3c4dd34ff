// Every case once more over HTTPS, in each of its three encodings, on an empty store each.
import t from 'tap'
import { startOwn } from './own-server.ts'
import { playAll } from './play-all.ts'
import { selectCases } from './selection.ts'

const { cases } = await selectCases({})

for (const form of ['https', 'xml', 'json'] as const) {
  await t.test(`a started keyreel conforms when every message travels as ${form}`, async (t) => {
    await using own = await startOwn(cases)
    await playAll(t, cases, own.target, form)
  })
}
