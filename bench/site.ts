/** What is measured against: a data directory with a library in it, keyreel serving it, and the certificates of the bare servers. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { output, started } from './processes.ts'

const keyreel = resolve(import.meta.dirname, '../src/cli/keyreel.js')

/** Certificate and key of one party, and what it trusts. */
export interface Files {
  ca: string
  certificate: string
  key: string
}

/** Everything on disk. */
export interface Site {
  directory: string
  data: string
  /** The library's files. */
  kit: Files
  /** The bare server's own certificate, P-256 like the one keyreel shows these clients. */
  bare: Files
}

/** A server under load. */
export interface Server {
  child: ChildProcess
  port: number
}

/** Makes the site in a temporary directory, which the caller removes. */
export async function prepare(): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), 'keyreel-bench-'))
  const data = join(directory, 'data')
  const hosts = ['--host', 'localhost', '--host', '127.0.0.1']
  await output([keyreel, 'init', '--data', data, ...hosts, '--quiet'])
  const out = join(directory, 'kit')
  await output([keyreel, 'library', 'add', 'bench', '--data', data, '--out', out, '--quiet'])
  const kit = {
    ca: join(out, 'ca.pem'),
    certificate: join(out, 'certificate.pem'),
    key: join(out, 'key.pem'),
  }
  const bare = {
    ca: join(directory, 'bare.pem'),
    certificate: join(directory, 'bare.pem'),
    key: join(directory, 'bare-key.pem'),
  }
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  const files = ['-nodes', '-keyout', bare.key, '-out', bare.certificate]
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...files], { stdio: 'ignore' })
  return { directory, data, kit, bare }
}

/** Starts keyreel over the site. */
export async function serve({ data }: Site): Promise<Server> {
  const listen = ['--listen', '127.0.0.1:0', '--log-level', 'error']
  const { child, ready } = await started([keyreel, 'serve', '--data', data, ...listen])
  return { child, port: Number(/kmip=[^ ]*:(\d+)/u.exec(ready)![1]) }
}

/** Asks the database of the server; the benchmark is the one program that may. */
function ask({ data }: Site, sql: string): unknown {
  const database = new DatabaseSync(join(data, 'keystore.db'), { readOnly: true })
  try {
    return Object.values(database.prepare(sql).get() ?? {})[0]
  } finally {
    database.close()
  }
}

/** Identifiers of the keys there are, in no order of their making. */
export function keysOf(site: Site): [string, ...string[]] {
  const hex = String(ask(site, 'SELECT group_concat(lower(hex(id))) FROM objects')).split(',')
  const [first, ...others] = hex.map((digits) =>
    digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5'),
  )
  return [first!, ...others]
}

/** Group commits so far: each appends one row to the chain of the server. */
export function commits(site: Site): number {
  return Number(ask(site, 'SELECT count(*) FROM audit'))
}
