#!/usr/bin/env node
// Starts keyreel. Plain JavaScript that old Nodes can read, so that they can say what is missing.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  const early = process.argv.includes('serve') ? catchSignals() : undefined
  await keepCompiledCode()
  const { runProcess } = await import('./main.ts')
  await runProcess(early)
} else {
  process.stderr.write(
    `error: keyreel needs Node 24.12 or newer, this is ${process.versions.node}\n` +
      'hint: npx keyreel and npm start run the Node that npm ci has installed; use one of them\n',
  )
  process.exit(2)
}

/** A server that is asked to end, or to read its configuration again, while it is being read itself does not just die. */
function catchSignals() {
  const came = []
  const note = (name) => came.push(name)
  const names = ['SIGHUP', 'SIGINT', 'SIGTERM']
  for (const name of names) process.on(name, note)
  return { came, off: () => names.forEach((name) => process.off(name, note)) }
}

/**
 * Half of a start would go into compiling. Compiled code is code: it is kept only beside the code itself, where
 * whoever may write could change that as well, and only by its owner, so that nothing of root's lies in somebody
 * else's folder. Elsewhere, and where nothing can be written, it is compiled each time. Node's own variables,
 * NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE, say otherwise.
 */
async function keepCompiledCode() {
  const { statSync } = await import('node:fs')
  const { enableCompileCache } = await import('node:module')
  const { fileURLToPath } = await import('node:url')
  const root = fileURLToPath(new URL('../../', import.meta.url))
  if (statSync(root).uid === process.geteuid?.()) {
    enableCompileCache(`${root}node_modules/.cache/keyreel`)
  }
}
