// What the exit statuses of the command line mean, for help pages. Scripts rely on the numbers.
import { exitStatus } from '../errors.ts'

/** Status → what it means; help pages print the rows a command uses. */
export const exitMeanings = {
  0: 'done',
  [exitStatus.failed]: 'failed',
  [exitStatus.usage]: 'wrong usage or configuration',
  [exitStatus.partly]: 'partly done: some items were refused',
  [exitStatus.notInitialised]: 'the data directory is not initialised',
  [exitStatus.sealed]: 'sealed: the master key is not available',
  [exitStatus.wrongPassphrase]: 'wrong passphrase',
  [exitStatus.policy]: 'refused by policy',
  130: 'interrupted',
} as const

export type ExitStatus = keyof typeof exitMeanings
