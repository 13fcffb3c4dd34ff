// The stage on which pages are played.
import { expect, test } from 'vitest'
import { Stage } from './stage.ts'

test('a block that starts two servers has started when both are ready', async () => {
  await using stage = await Stage.open({ throughNpx: false })
  const script = `
echo "ready first" &
until test -e seen; do sleep 0.05; done; echo "ready second"; exec sleep 60`
  let begun = false
  const started = stage.play({ kind: 'start', line: 1, script, status: 0 })
  void started.then(() => (begun = true))
  // Takes longer than the stage needs to look at what has been printed.
  const look = 'until grep -qx "ready first" .output-*; do sleep 0.05; done; sleep 0.2'
  await stage.play({ kind: 'run', line: 1, script: look, status: 0 })
  expect(begun).toBe(false)
  await stage.play({ kind: 'file', line: 1, name: 'seen', text: '' })
  expect(await started).toEqual({ status: 0, output: 'ready first\nready second\n' })
})
