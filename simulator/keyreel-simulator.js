#!/usr/bin/env node
// Starts the simulator. Plain JavaScript that old Nodes can read, so that they can say what is missing.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  const { runProcess } = await import('./main.ts')
  await runProcess()
} else {
  process.stderr.write(
    `error: keyreel-simulator needs Node 24.12 or newer, this is ${process.versions.node}\n` +
      'hint: npx keyreel-simulator runs the Node that npm ci has installed; use that\n',
  )
  process.exit(2)
}
