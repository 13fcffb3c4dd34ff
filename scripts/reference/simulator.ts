// docs/reference/simulator.md: the simulator's commands, scenarios and personalities, from its tables.
import { commands, readCommandLine } from '../../simulator/command-line.ts'
import { dialects } from '../../simulator/dialects.ts'
import { scenarios } from '../../simulator/scenarios.ts'
import { block, sections, table } from './markdown.ts'

const intro = `
\`npx keyreel-simulator\` plays a tape library against a key server: robot, drives, cartridges, and the controller that asks for
keys over KMIP. It is modelled on public documents: the Tape Library Profile, descriptions of the SCSI security protocol pages,
and manuals of libraries. It has been compared with no library of any vendor. It works against any KMIP server, given a kit as
\`keyreel library add\` writes it.
`

export const simulatorPage = {
  title: 'Simulator',
  about: 'commands, scenarios and personalities of the simulated library',
  body: () =>
    sections(
      intro,
      '## Scenarios',
      'Each ends with what is read from the tape.',
      table(
        ['scenario', 'what it shows'],
        scenarios.map(({ id, title }) => [id, title]),
      ),
      '## Personalities',
      'How a library may speak.',
      table(
        ['personality', 'KMIP', ''],
        Object.values(dialects).map(({ name, version, summary }) => [name, version, summary]),
      ),
      '## Commands',
      ...Object.keys(commands).flatMap((name) => [`### ${name}`, block(helpOf(name))]),
    ),
}

function helpOf(name: string): string {
  const line = readCommandLine([name, '--help'])
  if ('help' in line) return line.help
  throw new Error(`keyreel-simulator ${name} has no help page`)
}
