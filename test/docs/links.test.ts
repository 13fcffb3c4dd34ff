// Every relative link in every Markdown file leads to a file, and to a heading where it names one.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { brokenLinks } from './links.ts'

const root = resolve(import.meta.dirname, '../..')
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
const pages = listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))

test('no link in the documentation is broken', () => {
  expect(pages).toContain('README.md')
  expect(pages.flatMap((page) => brokenLinks(root, page))).toEqual([])
})
