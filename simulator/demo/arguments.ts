// The command line of a demo: it takes nothing, and says so. To be looked at before anything is made.

/** Prints `page` and ends the process when help is asked for; ends it with 2 for any other word. */
export function takeNoArguments(script: string, page: readonly string[]): void {
  const [word] = process.argv.slice(2)
  if (word === undefined) return
  if (word === '--help' || word === '-h' || word === 'help') {
    process.stdout.write(`Usage: npm run ${script}\n\n${page.join('\n')}\n`)
    process.exit(0)
  }
  process.stderr.write(`error: the demo takes no ${JSON.stringify(word)}\n`)
  process.stderr.write(`hint: npm run ${script} -- --help\n`)
  process.exit(2)
}

/** Ends the process when whoever read the story has gone away, as `head` does: nothing has failed then. */
export function endWithReader(cleanUp: () => Promise<void>): void {
  const ends = (error: NodeJS.ErrnoException) =>
    void cleanUp().finally(() => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.stdout.on('error', ends)
}
