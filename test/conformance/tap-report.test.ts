import { expect, test } from 'vitest'
import { tapFooter, tapHeader, tapLines } from './tap-report.ts'
import { judge } from './verdict.ts'

const row = {
  case: 'OMOS-O-1-14',
  clause: 'KMIP 1.4 §6.1',
  why: 'its answer is of 1.3',
  differences: ['expected 3, found …'],
}
const outcomes = [
  { name: 'TL-M-1-14', differences: [] },
  { name: 'TL-M-2-14', differences: ['request 1: a "quoted" difference'] },
  { name: 'OMOS-O-1-14', differences: ['expected 3, found 4'] },
]

test('the report is TAP: a plan, a line for each case, differences in a YAML block', () => {
  const verdicts = outcomes.map((outcome) => judge(outcome, [row]))
  const lines = verdicts.map((verdict, at) => tapLines(at + 1, verdict))
  const report = tapHeader(3, ['cases from here']) + lines.join('') + tapFooter(verdicts)
  expect(report.split('\n')).toEqual([
    'TAP version 14',
    '# cases from here',
    '1..3',
    'ok 1 - TL-M-1-14',
    'not ok 2 - TL-M-2-14',
    '  ---',
    '  differences:',
    '    - "request 1: a \\"quoted\\" difference"',
    '  ...',
    'ok 3 - OMOS-O-1-14 exception: its answer is of 1.3 (KMIP 1.4 §6.1)',
    '  ---',
    '  differences:',
    '    - "expected 3, found 4"',
    '  ...',
    '# 1 of 3 cases conform, and 1 differ as exceptions.ts says',
    '',
  ])
})
