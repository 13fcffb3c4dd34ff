// npm run conformance -- [--host H --port P --ca F --cert F --key F | --database URL] [--cases DIR…] [--only NAME…] [--encoding FORM]
// Plays published KMIP cases against a server over TLS and prints TAP. Without --host it starts a
// keyreel of its own on an empty store, in a file or in the PostgreSQL of --database. Exit status: 0 all conform or are
// exceptions, 1 some do not, 2 usage.
import { parseArgs } from 'node:util'
import { UserError, exitStatus } from '../../src/errors.ts'
import type { CaseFile } from './case-files.ts'
import { conform, formOf } from './conform.ts'
import { forms, type Form } from './https-connection.ts'
import { startOwn, usersOf } from './own-server.ts'
import { selectCases } from './selection.ts'
import type { Target } from './target.ts'
import { tapFooter, tapHeader, tapLines } from './tap-report.ts'
import { judge, type Verdict } from './verdict.ts'

const options = {
  host: { type: 'string' },
  port: { type: 'string', default: '5696' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'https-port': { type: 'string' },
  'https-path': { type: 'string', default: '/kmip' },
  'user-cert': { type: 'string' },
  'user-key': { type: 'string' },
  encoding: { type: 'string' },
  database: { type: 'string' },
  cases: { type: 'string', multiple: true, default: [] as string[] },
  only: { type: 'string', multiple: true, default: [] as string[] },
} as const

/** Runs the program; gives the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const { cases: folders, only, ...server } = parse(args)
  const form = formNamed(server.encoding)
  const { cases: selected, outside, ...selection } = await selectCases({ folders, only })
  await using own =
    server.host === undefined ? await startOwn(selected, server.database) : undefined
  const target = own?.target ?? given(server)
  const reachable = (file: CaseFile): boolean =>
    target.https !== undefined || (form ?? formOf(file)) === 'tls'
  const withUsers = target.users === undefined ? await casesWithUsers(selected) : new Set()
  const cases = selected.filter((file) => reachable(file) && !withUsers.has(file))
  const comments = selection.folders.map((folder) => `cases from ${folder}`)
  comments.push(`not passed by this release yet, and not run: ${outside.length}`)
  const unreachable = selected.filter((file) => !reachable(file)).length
  if (unreachable > 0) comments.push(`not run without --https-port: ${unreachable}`)
  if (withUsers.size > 0) comments.push(`not run without --user-cert: ${withUsers.size}`)
  process.stdout.write(tapHeader(cases.length, comments))
  const verdicts: Verdict[] = []
  for await (const outcome of conform(cases, target, form)) {
    const verdict = judge(outcome)
    verdicts.push(verdict)
    process.stdout.write(tapLines(verdicts.length, verdict))
  }
  process.stdout.write(tapFooter(verdicts))
  return verdicts.every(({ result }) => result !== 'fails') ? 0 : exitStatus.failed
}

type Options = ReturnType<typeof parse>

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw usage('bad-arguments', reason, `options are --${Object.keys(options).join(' --')}`)
  }
}

function usage(code: string, message: string, hint: string): UserError {
  return new UserError(code, message, hint, { exitStatus: exitStatus.usage })
}

/** Cases that send user names and passwords, which somebody has to have enrolled. */
async function casesWithUsers(cases: readonly CaseFile[]): Promise<Set<CaseFile>> {
  const found = new Set<CaseFile>()
  for (const file of cases) if ((await usersOf([file])).length > 0) found.add(file)
  return found
}

function formNamed(name: string | undefined): Form | undefined {
  if (name === undefined) return undefined
  const form = forms.find((one) => one === name)
  if (form !== undefined) return form
  throw usage('bad-encoding', `${name} is no encoding`, `give --encoding ${forms.join(' | ')}`)
}

function portNumber(flag: string, text: string, usual: number): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw usage('bad-port', `${text} is not a port`, `give ${flag} NUMBER, usually ${usual}`)
}

function given(options: Omit<Options, 'cases' | 'only'>): Target {
  const { host = '', port, ca, cert, key } = options
  const { 'https-port': https, 'https-path': path } = options
  const { 'user-cert': userCert, 'user-key': userKey } = options
  return {
    host,
    port: portNumber('--port', port, 5696),
    ca,
    certificate: cert,
    key,
    ...(https !== undefined && { https: { port: portNumber('--https-port', https, 443), path } }),
    ...(userCert !== undefined &&
      userKey !== undefined && { users: { certificate: userCert, key: userKey } }),
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof UserError) {
    process.stderr.write(`error: ${error.message}\nhint: ${error.hint}\n`)
    process.exitCode = error.exitStatus
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stdout.write(`Bail out! ${text.split('\n')[0]}\n`)
    process.stderr.write(`${text}\n`)
    process.exitCode = exitStatus.failed
  }
}
