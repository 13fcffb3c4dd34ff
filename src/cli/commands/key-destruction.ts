// `keyreel key destruction`: the record of a wiped key as a signed file for an auditor.
import { administrator } from '../../access/documents.ts'
import { destructionText, wipedKey } from '../../admin/destruction-record.ts'
import { copiesOf } from '../../exchange/key-copies.ts'
import { signRecord, writeRecord } from '../../exchange/signed-record.ts'
import { grouped } from '../../exchange/words.ts'
import { argument, command, requiredText } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { destructionJson, destructionText as shownDestruction } from '../key-dependents.ts'

export const keyDestruction = command({
  words: 'key destruction',
  summary: 'write the record of a wiped key as a signed file for an auditor',
  details:
    'Says which key of which cartridge was destroyed, when and by whom, when its bytes were wiped from the live ' +
    'database and how, where the audit record tells so, and where the key may still be: backups, exports, clients ' +
    'that fetched it, logs of the database. No more is claimed. JSON in CMS, signed by the exchange identity; verify ' +
    'it with  openssl cms -verify -inform PEM -in FILE -CAfile IDENTITY.pem , IDENTITY.pem from  keyreel exchange ' +
    'certificate export. A key that is destroyed and can still be brought back has no such record yet.',
  arguments: { ID: argument('unique identifier, or as much of its beginning as is unambiguous') },
  options: { out: requiredText('FILE', 'file to write; must not exist') },
  exits: keystoreExits,
  examples: [
    'key destruction 6f1c0d2e --out 6f1c0d2e.destruction.pem',
    'key destruction 6f1c0d2e --out FILE --json',
  ],
  async run({ arguments: { ID }, options: { out }, context }) {
    refuseOut(out)
    const { key, signed } = await withStore(context, async (store) => {
      const key = await wipedKey(store, ID, (id) => copiesOf(store, id), context.config.journal)
      const issued = await store.read((work) => Promise.resolve(work.now))
      const text = destructionText(store.id, key, issued)
      const signed = await store.read((work) => signRecord(work, text))
      await store.act((work) => {
        const { id: object, group } = key.row
        const details = { digest: signed.digest }
        const record = {
          actor: administrator,
          operation: 'key destruction',
          object,
          group,
          details,
        }
        work.audit({ ...record, outcome: 'Success' })
        return Promise.resolve()
      })
      await writeRecord(out, signed)
      return { key, signed }
    })
    const { row, dependents, destruction } = key
    const tape = row.barcode === undefined ? '' : ` of cartridge ${row.barcode}`
    return {
      json: {
        ...{
          file: out,
          key: row.id,
          group: row.group,
          cartridge: dependents.label?.barcode ?? null,
        },
        ...destructionJson(destruction),
        ...{ signer: signed.identity.fingerprint, digest: signed.digest },
      },
      text: [
        `the destruction of key ${row.id}${tape} is on record in ${out}`,
        shownDestruction(destruction, context.style),
        `signed by the identity with the certificate\n  ${grouped(signed.identity.fingerprint)}`,
        `verify:  openssl cms -verify -inform PEM -in ${out} -CAfile IDENTITY.pem`,
      ].join('\n\n'),
    }
  },
})
