// The reader of documentation pages: which blocks are run, and when output looks as shown.
import { expect, test } from 'vitest'
import { looksLike, stepsOf } from './page.ts'

const page = `
<!-- before
mkdir data
-->

\`\`\`sh start
npm start
\`\`\`

\`\`\`sh
not run
\`\`\`

\`\`\`sh run exit=11
npx keyreel status
\`\`\`

\`\`\`text output
keystore  sealed
…
\`\`\`

\`\`\`toml file=keyreel.toml
listen = "127.0.0.1:0"
\`\`\`

<!-- stop -->
<!-- a remark -->
`

test('a page gives its steps in order, and blocks without a mark are no steps', () => {
  expect(stepsOf(page)).toEqual([
    { kind: 'run', line: 2, script: 'mkdir data', status: 0 },
    { kind: 'start', line: 6, script: 'npm start', status: 0 },
    {
      kind: 'run',
      line: 14,
      script: 'npx keyreel status',
      status: 11,
      shown: ['keystore  sealed', '…'],
    },
    { kind: 'file', line: 23, name: 'keyreel.toml', text: 'listen = "127.0.0.1:0"\n' },
    { kind: 'stop', line: 27 },
  ])
})

test('a mark that means nothing is an error, so that a slip does not leave a block unrun', () => {
  expect(() => stepsOf('```sh ran\ntrue\n```')).toThrow('unknown mark')
  expect(() => stepsOf('```sh run exit=x\ntrue\n```')).toThrow('unknown mark')
  expect(() => stepsOf('```text output\nx\n```')).toThrow('output of nothing')
})

test('output looks as shown when all that is shown is there, in order', () => {
  expect(looksLike('a 17 b\nc\n', ['a … b', 'c'])).toBe(true)
  expect(looksLike('a 17 b\nx\ny\nc\n', ['a … b', '…', 'c'])).toBe(true)
  expect(looksLike('a 17 b\nc\n', ['a … b'])).toBe(false)
  expect(looksLike('a (b)\n', ['a (b)'])).toBe(true)
  expect(looksLike('', [])).toBe(true)
})

test('what differs from run to run may be shown as it once was', () => {
  const key = '6f1c0d2e-54a1-4d0f-9c3b-0a5f2f6b7c11'
  const other = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
  const printed = `${key}  2026-11-22 12:00:00Z  in 17 ms\n`
  expect(looksLike(printed, [`${other}     2027-01-01 00:00:00Z  in 3 ms`])).toBe(true)
  expect(looksLike(printed, [`${other}  yesterday  in 3 ms`])).toBe(false)
  expect(looksLike(`KEY ${key}\n`, [`NAME ${other}`])).toBe(false)
})
