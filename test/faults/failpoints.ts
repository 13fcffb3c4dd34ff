/** Where a load process ends itself when it is told to. */
export const failpoints = [
  'before-audit',
  'after-audit',
  'before-commit',
  'after-commit',
  'before-answer',
] as const

export type Failpoint = (typeof failpoints)[number]
