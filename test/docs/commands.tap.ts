// The commands of README and tutorial do what these pages say.
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import t from 'tap'
import { playPages } from './play-pages.ts'

t.setTimeout(300_000)

const tutorials = await readdir(resolve(import.meta.dirname, '../../docs/tutorial'))
await playPages(t, ['README.md', ...tutorials.map((name) => `docs/tutorial/${name}`)])
