// Databases as earlier schemas held them, written without the keystore: node:crypto, the statements of
// those days, and a record and a key as the first release wrote them. What is here is added to, and
// never changed: it stands for the databases that are out there.
import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { migrate } from '../../src/keystore/migrate.ts'
import type { SqlDriver, SqlValue } from '../../src/keystore/storage.ts'
import { clock, idOf } from './sample.ts'

/** Keys in such a database. The last of them was changed once. */
export const oldKeys = [1, 2, 3] as const

/** What is known of key number `at`. */
export function oldKey(at: number) {
  const digits = String(at).padStart(4, '0')
  return {
    id: idOf(at),
    name: `name-${digits}`,
    barcode: `KR${digits}L8`,
    tape: `LIBRARY-LTO\u0000DATA-${digits}`,
    material: Buffer.alloc(32, at),
    revision: at === oldKeys.at(-1) ? 2 : 1,
  }
}

/** The secret of the document `authority/old`, and of the transient `ticket/old` from schema 2 on. */
export const oldSecrets = { document: Buffer.from('document'), transient: Buffer.from('transient') }

const store = '0b6f5a3e-3c52-4f0e-9a34-5f6de5f2a101'
const epochSecret = Buffer.alloc(32, 0x5e)

/** A record: owner alpha, AES-256, Active, with Name, Application Specific Information and barcode. */
const record =
  '54a000010000026054a0010200000004000000010000000054a002010000009054a0030700000005616c706861000000' +
  '4200a8060000000800000000000000004201200600000008000000000000000042012206000000080000000000000001' +
  '420042050000000400000001000000004200390900000008000000006553f1004200010900000008000000006553f100' +
  '4200480900000008000000006553f1004200490a0000000400000e100000000054a00601000001b054a0070100000030' +
  '42013b050000000400420028000000004200090200000004000000000000000042000b05000000040000000300000000' +
  '54a007010000003042013b05000000040042002a000000004200090200000004000000000000000042000b0200000004' +
  '000001000000000054a007010000003042013b05000000040042002c0000000042000902000000040000000000000000' +
  '42000b02000000040000000c0000000054a007010000005042013b050000000400420053000000004200090200000004' +
  '000000000000000042000b010000002842005507000000096e616d652d30303030000000000000004200540500000004' +
  '000000010000000054a007010000005842013b0500000004004200040000000042000902000000040000000000000000' +
  '42000b0100000030420003070000000b4c4942524152592d4c544f00000000004200020700000009444154412d303030' +
  '300000000000000054a007010000004842013b0500000004004200bf0000000042000902000000040000000000000000' +
  '42000b01000000204200c007000000084b52303030304c384200c1050000000400000001' +
  '00000000'

/** A Symmetric Key of 32 bytes ee. */
const keyItem =
  '42008f010000006842004001000000604200420500000004000000010000000042004501000000284200430800000020' +
  'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee42002805000000040000000300000000' +
  '42002a02000000040000010000000000'

function recordOf(at: number): Buffer {
  const { name, barcode, tape } = oldKey(at)
  const bytes = Buffer.from(record, 'hex')
  const data = tape.split('\u0000')[1]!
  for (const [placeholder, text] of [
    ['name-0000', name],
    ['DATA-0000', data],
    ['KR0000L8', barcode],
  ] as const)
    bytes.write(text, bytes.indexOf(placeholder), 'latin1')
  return bytes
}

/** Fills an empty database as a keyreel of that schema has left it; the master key wraps by copying. */
export async function writeOldDatabase(driver: SqlDriver, schema: number): Promise<void> {
  await migrate(driver, 'the database', schema)
  await driver.transaction(async (sql) => {
    const insert = async (table: string, row: Record<string, SqlValue>) => {
      const places = Object.keys(row).map((_, at) => `?${at + 1}`)
      await sql.query(
        `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`,
        Object.values(row),
      )
    }
    // From schema 3 on, what is looked up is bytes.
    const looked = (text: string): SqlValue => (schema < 3 ? text : Buffer.from(text))

    await insert('settings', { name: 'store', value: store })
    await insert('epochs', { epoch: 1, seals: 4096 })
    await insert('epoch_wraps', { epoch: 1, provider: 'memory', bytes: epochSecret })

    const created: Change[] = []
    for (const at of oldKeys) {
      const key = oldKey(at)
      const bytes = recordOf(at)
      const mac = macOf('records', ['object', key.id, 'default', 1, key.revision], bytes)
      const index = [
        ['Name', key.name],
        ['ApplicationSpecificInformation', key.tape],
        ['AlternativeName', key.barcode],
        ['cartridge', key.barcode],
        ['volume', key.barcode.slice(0, 6)],
      ] as const
      const unique = [
        ['name', key.name],
        ['asi', key.tape],
      ] as const
      const item = Buffer.from(keyItem, 'hex')
      key.material.copy(item, item.indexOf(Buffer.alloc(32, 0xee)))
      await insert('objects', {
        n: at,
        id: Buffer.from(key.id.replaceAll('-', ''), 'hex'),
        group_name: 'default',
        object_type: 2,
        revision: key.revision,
        epoch: 1,
        owner: 'alpha',
        initial_date: clock,
        last_change_date: clock,
        activation_date: clock,
        algorithm: 3,
        key_length: 256,
        usage_mask: 12,
        fresh: 0,
        entries: JSON.stringify([index, unique]),
        mac,
        record: bytes,
        sealed: sealOf(['object', key.id, 2, 'default', 1], item),
      })
      for (const [attribute, value] of index)
        await insert('attribute_index', {
          group_name: 'default',
          attribute: looked(attribute),
          value: looked(value),
          n: at,
        })
      for (const [kind, value] of unique)
        await insert('unique_entries', {
          group_name: 'default',
          kind,
          value: looked(value),
          n: at,
        })
      if (key.revision > 1) await insert('revisions', { object: at, revision: key.revision, mac })
      created.push({ object: key.id, revision: key.revision, mac: mac.toString('base64url') })
    }
    // There the next number is not that behind the greatest.
    if (driver.dialect === 'postgres')
      await sql.query(`ALTER TABLE objects ALTER COLUMN n RESTART WITH ${oldKeys.length + 1}`)

    const sealed = sealOf(['document', 'authority', 'old', 1], oldSecrets.document)
    const body = '{"pem":"none","created":1700000000}'
    const head = ['document', 'authority', 'old', 1, 1, body, sealed.length]
    const mac = macOf('records', head, sealed)
    const kept = { kind: 'authority', name: 'old', revision: 1, mac }
    await insert('documents', { ...kept, epoch: 1, change: 1, body, sealed })
    await insert('document_revisions', kept)
    created.push({
      ...{ object: 'authority/old', document: true, revision: 1 },
      mac: mac.toString('base64url'),
    })

    if (schema >= 2) {
      const expires = clock + 3600n
      const sealed = sealOf(['transient', 'ticket', 'old', 'alpha', 1], oldSecrets.transient)
      const head = ['transient', 'ticket', 'old', 'alpha', String(expires), 1, '{}', sealed.length]
      const row = { kind: 'ticket', name: 'old', owner: 'alpha', expires, epoch: 1, body: '{}' }
      await insert('transients', { ...row, sealed, mac: macOf('records', head, sealed) })
    }

    let previous: Uint8Array = new Uint8Array(32)
    for (const row of auditRows(created)) {
      const head = ['audit', 'serve', row.first, row.last, 1]
      previous = macOf('audit', head, previous, Buffer.from(row.body))
      await insert('audit', { chain: 'serve', ...row, epoch: 1, mac: previous })
    }
    await insert('audit_objects', { object: looked(idOf(1)), chain: 'serve', number: 2 })
    await insert('audit_indexed', { chain: 'serve', number: 2 })
  })
}

interface Change {
  object: string
  document?: boolean
  revision: number
  mac: string
}

/** The chain: the store made, the first keys, then one of them changed and a document kept. */
function auditRows(changes: readonly Change[]): { first: number; last: number; body: string }[] {
  const time = Number(clock)
  const common = { time, outcome: 'Success' }
  const actor = { name: 'alpha', kind: 'client' }
  const begun = {
    ...{ number: 1, time, actor: { name: 'keyreel', kind: 'server' } },
    ...{ operation: 'Store Created', outcome: 'Success', details: { store, chain: 'serve' } },
  }
  const [one, two, three, document] = changes as [Change, Change, Change, Change]
  const create = (number: number, change: Change) => ({
    ...{ number, ...common, actor, operation: 'Create', object: change.object },
    changes: [change],
  })
  const modify = { number: 4, ...common, actor, operation: 'Modify Attribute' }
  return [
    { first: 1, last: 1, body: JSON.stringify([begun]) },
    { first: 2, last: 3, body: JSON.stringify([create(2, one), create(3, two)]) },
    {
      ...{ first: 4, last: 4 },
      body: JSON.stringify([{ ...modify, object: three.object, changes: [three, document] }]),
    },
  ]
}

type Fields = readonly (string | number)[]

function keyOf(label: 'sealing' | 'records' | 'audit'): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', epochSecret, store, `keyreel 1 ${label}`, 32))
}

function headOf(fields: Fields): Buffer {
  return Buffer.from(`${JSON.stringify(fields)}\n`)
}

function macOf(
  label: 'records' | 'audit',
  fields: Fields,
  ...parts: readonly Uint8Array[]
): Buffer {
  const [kind, id, ...rest] = fields
  // The type of an object stands behind its identifier.
  const whole = kind === 'object' ? [kind, id!, 2, ...rest] : fields
  const hmac = createHmac('sha256', keyOf(label)).update(headOf(whole))
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

function sealOf(bound: Fields, plain: Uint8Array): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf('sealing'), nonce)
  cipher.setAAD(headOf(bound))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}
