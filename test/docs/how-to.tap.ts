// The commands of the how-to pages do what these pages say.
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import t from 'tap'
import { playPages } from './play-pages.ts'

t.setTimeout(600_000)

const names = await readdir(resolve(import.meta.dirname, '../../docs/how-to'))
await playPages(
  t,
  names.map((name) => `docs/how-to/${name}`),
)
