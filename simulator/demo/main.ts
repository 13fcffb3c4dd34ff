// `npm run demo`: from an empty directory to an encrypted tape, with a real keyreel server and a
// simulated tape library. Leaves nothing behind: no process and no file, also when interrupted.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { paintFor } from '../reports.ts'
import { endWithReader, takeNoArguments } from './arguments.ts'
import { killAll } from './keyreel-process.ts'
import { narrator } from './narrator.ts'
import { tellStory, type Scene } from './story.ts'

takeNoArguments('demo', [
  'The first encrypted tape: starts a real keyreel server in a directory of its own, and a simulated',
  'tape library that writes and reads under its keys. Takes less than half a minute, needs no',
  'network, and leaves nothing behind. Ends with 0 when every step is proven, with 1 otherwise.',
])

const colour = process.stdout.isTTY === true && !process.env['NO_COLOR']
const paint = paintFor(colour)
const print = (line: string) => void process.stdout.write(`${line}\n`)
const began = performance.now()
const voice = narrator(print, colour)
const scene: Scene = {
  directory: await mkdtemp(join(tmpdir(), 'keyreel-demo-')),
  narrator: voice,
  server: undefined,
}

/** After a signal, or when nobody reads any more, nothing that fails is a finding. */
let interrupted = false

async function cleanUp(): Promise<void> {
  await killAll()
  await rm(scene.directory, { recursive: true, force: true, maxRetries: 5 })
}

function endOn(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', status: number): void {
  process.once(signal, () => {
    interrupted = true
    print(`\ninterrupted; cleaning up`)
    void cleanUp().finally(() => process.exit(status))
  })
}
endOn('SIGINT', 130)
endOn('SIGTERM', 143)
endOn('SIGHUP', 129)
endWithReader(() => {
  interrupted = true
  return cleanUp()
})

print(paint('bold', 'keyreel demo: the first encrypted tape'))
print('The key server is the real one. Robot, drives and cartridges are simulated; their')
print('ciphertext is real: AES-256-GCM in files that stand for tapes.')
try {
  await tellStory(scene)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  print(`\n${paint('green', `${voice.proofs} proofs in ${voice.steps} steps, ${seconds} s.`)}`)
  print('Next: npm start, and docs/tutorial for a tape library of your own.')
} catch (error) {
  process.exitCode = 1
  if (!interrupted) complain(error)
} finally {
  await cleanUp()
}

function complain(error: unknown): void {
  print(`   ${paint('red', '✗')} ${error instanceof Error ? error.message : String(error)}`)
  const lines = [
    `error: the demo failed in step ${voice.steps}`,
    'hint: please report it with the lines above and below',
    error instanceof Error ? error.stack : undefined,
    scene.server?.log,
  ]
  process.stderr.write(`${lines.filter((line) => line !== undefined).join('\n')}\n`)
}
