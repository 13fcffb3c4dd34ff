import { expect, test } from 'vitest'
import { tapFooter, tapHeader, tapLines } from './tap-report.ts'

const passed = { name: 'TL-M-1-14', differences: [] }
const failed = { name: 'TL-M-2-14', differences: ['request 1: a "quoted" difference'] }

test('the report is TAP: a plan, a line for each case, differences in a YAML block', () => {
  const report =
    tapHeader(2, ['cases from here']) +
    tapLines(1, passed) +
    tapLines(2, failed) +
    tapFooter([passed, failed])
  expect(report.split('\n')).toEqual([
    'TAP version 14',
    '# cases from here',
    '1..2',
    'ok 1 - TL-M-1-14',
    'not ok 2 - TL-M-2-14',
    '  ---',
    '  differences:',
    '    - "request 1: a \\"quoted\\" difference"',
    '  ...',
    '# 1 of 2 cases conform',
    '',
  ])
})
