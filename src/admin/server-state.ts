// What a running server leaves in the data directory for `status` and `doctor`: where it listens and
// when each client was last heard of. Information for people, replaced whole; nothing trusts it.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const contact = z.object({
  client: z.string(),
  /** Open when this was written. */
  connections: z.number(),
  /** Milliseconds since the epoch. */
  lastContact: z.number(),
})

/** A journal that it keeps. */
const journal = z.object({
  path: z.string(),
  state: z.enum(['current', 'behind', 'away']),
  reason: z.string().optional(),
  bytes: z.number(),
})

const serverState = z.object({
  pid: z.number(),
  /** HOST:PORT of the KMIP listener. */
  kmip: z.string(),
  /** Why the keystore is sealed, when it is: then nothing listens. */
  sealed: z.string().optional(),
  /** The same of the HTTPS listener, when there is one. */
  https: z.string().optional(),
  /** Milliseconds since the epoch. */
  started: z.number(),
  contacts: z.array(contact),
  journals: z.array(journal).default([]),
})

export type ServerState = z.output<typeof serverState>

/** A journal as the server has written it down. */
export type ServerJournal = z.output<typeof journal>

const fileName = 'server-state.json'

/** Writes the state; clients that have not been here since the start keep their last contact. */
export async function writeServerState(directory: string, state: ServerState): Promise<void> {
  const before = (await readServerState(directory))?.contacts ?? []
  const known = new Set(state.contacts.map(({ client }) => client))
  const absent = before.filter(({ client }) => !known.has(client))
  const contacts = [...state.contacts, ...absent.map((entry) => ({ ...entry, connections: 0 }))]
  const file = join(directory, fileName)
  const temporary = `${file}.${process.pid}`
  try {
    await writeFile(temporary, JSON.stringify({ ...state, contacts }), { mode: 0o600 })
    await rename(temporary, file)
  } catch (error) {
    // On a full disk it is empty, and each process would leave another.
    await rm(temporary, { force: true })
    throw error
  }
}

/** The state as last written; undefined when no server has ever run here or the file is unreadable. */
export async function readServerState(directory: string): Promise<ServerState | undefined> {
  try {
    const text = await readFile(join(directory, fileName), 'utf8')
    return serverState.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined
    }
    throw error
  }
}

/** Whether the process that wrote the state still runs (on this machine). */
export function isRunning({ pid }: ServerState): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
