// Probes of health checks: a database server's durability, a port.
import { connect } from 'node:net'
import { postgresFacts } from '../keystore/postgres-facts.ts'
import type { SqlDriver } from '../keystore/storage.ts'
import { failed, ok, warning, type Finding } from './finding.ts'

/** Whether what a server acknowledges is safe there. */
export async function durability(driver: SqlDriver): Promise<Finding> {
  const { version, unsafe, hasStandby } = await postgresFacts(driver)
  if (unsafe !== undefined) {
    return failed(
      `PostgreSQL ${version} runs with ${unsafe}: a crash of that machine loses keys`,
      `set ${unsafe.replace('off', 'on')} in postgresql.conf, and restart the database`,
    )
  }
  if (hasStandby) return ok(`PostgreSQL ${version}, which waits for a standby at every commit`)
  return warning(
    `PostgreSQL ${version} keeps every key on one machine only`,
    'add a synchronous standby (synchronous_standby_names in postgresql.conf)',
  )
}

/** Whether something accepts TCP connections there within two seconds. */
export async function accepts(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(':')
  const bound = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[bound] ?? bound
  const { promise, resolve: settle } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port: Number(address.slice(colon + 1)), timeout: 2000 })
  socket.once('connect', () => settle(true))
  socket.once('error', () => settle(false))
  socket.once('timeout', () => settle(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
