#!/usr/bin/env node
// Starts keyreel. Plain JavaScript that old Nodes can read, so that they can say what is missing.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  const { runProcess } = await import('./main.ts')
  await runProcess()
} else {
  process.stderr.write(
    `error: keyreel needs Node 24.12 or newer, this is ${process.versions.node}\n` +
      'hint: npx keyreel and npm start run the Node that npm ci has installed; use one of them\n',
  )
  process.exit(2)
}
