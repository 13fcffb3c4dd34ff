// The table of commands, in the order of the help pages. They are loaded by their first word: whoever runs one
// should not wait until all the others are read.
import type { Command } from './command.ts'

/** What the nouns mean, for the help pages that list their verbs. */
export const nouns: Readonly<Record<string, string>> = {
  library: 'tape libraries and other KMIP clients',
  'library credential': 'what a library must send beside its certificate',
  'library listener': 'what the server sends a client of itself',
  group: 'groups of keys and their policies',
  server: "the server's own certificate",
  'server certificate': "the server's own certificate",
  cartridge: 'cartridges by barcode, with the history of their keys',
  key: 'managed objects and their attributes, never key material',
  exchange: 'keys to and from other sites',
  'exchange certificate': 'Encryption Certificates of this server and of other sites',
  'exchange request': 'keys of tapes that nobody here can read',
  'exchange withdraw': 'copies of keys that must be used no longer',
  peer: 'the same exchange, live over KMIP',
  operator: 'people who may approve what others ask for',
  'master-key': 'what opens the keystore',
  backup: 'the whole keystore in one encrypted file, and back',
  'backup schedule': 'backups that the server makes by itself',
  journal: 'what a server has written to another disk, and bringing it back',
  recovery: 'shares of people that open the keystore without its master key',
  database: 'where the keystore is kept',
  audit: 'the hash-chained record of everything done with keys',
  ttlv: 'messages of the KMIP protocol',
}

/** The commands by their first word. */
const groups: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  init: async () => [(await import('./commands/init.ts')).init],
  serve: async () => [(await import('./commands/serve.ts')).serve],
  status: async () => [(await import('./commands/status.ts')).status],
  doctor: async () => [(await import('./commands/doctor.ts')).doctor],
  database: async () => [(await import('./commands/database.ts')).databaseMove],
  async library() {
    const { libraryAdd, libraryRenew, libraryRevoke } = await import('./commands/library.ts')
    const { libraryList, libraryShow } = await import('./commands/library-views.ts')
    const { libraryCredentialAdd } = await import('./commands/library-credential.ts')
    const { libraryListenerSet, libraryListenerList, libraryListenerRemove } =
      await import('./commands/library-listener.ts')
    return [
      libraryAdd,
      libraryList,
      libraryShow,
      libraryRenew,
      libraryRevoke,
      libraryCredentialAdd,
      libraryListenerSet,
      libraryListenerList,
      libraryListenerRemove,
    ]
  },
  async group() {
    const { groupList, groupShow, groupSet } = await import('./commands/group.ts')
    return [groupList, groupShow, groupSet]
  },
  async server() {
    const { serverCertificateShow, serverCertificateRenew } = await import('./commands/server.ts')
    return [serverCertificateShow, serverCertificateRenew]
  },
  async cartridge() {
    const { cartridgeList, cartridgeShow } = await import('./commands/cartridge.ts')
    const { cartridgeHold, cartridgeRelease } = await import('./commands/hold.ts')
    return [cartridgeList, cartridgeShow, cartridgeHold, cartridgeRelease]
  },
  async key() {
    const { keyList, keyShow, keyRecover, keyDestroy } = await import('./commands/key.ts')
    const { keyHold, keyRelease } = await import('./commands/hold.ts')
    const { keyDestruction } = await import('./commands/key-destruction.ts')
    return [keyList, keyShow, keyRecover, keyDestruction, keyDestroy, keyHold, keyRelease]
  },
  async exchange() {
    const {
      exchangeCertificateExport,
      exchangeCertificateImport,
      exchangeCertificateList,
      exchangeCertificateRenew,
      exchangeCertificateRevoke,
    } = await import('./commands/exchange-certificate.ts')
    const { exchangeExport } = await import('./commands/exchange-export.ts')
    const { exchangeApprove } = await import('./commands/exchange-approve.ts')
    const { exchangeRequest, exchangeRequestShow } = await import('./commands/exchange-request.ts')
    const { exchangeInspect } = await import('./commands/exchange-inspect.ts')
    const { exchangeImport } = await import('./commands/exchange-import.ts')
    const { exchangeReceipt } = await import('./commands/exchange-receipt.ts')
    const { exchangeWithdraw, exchangeWithdrawApply } =
      await import('./commands/exchange-withdraw.ts')
    const { exchangeLogCommand } = await import('./commands/exchange-log.ts')
    return [
      exchangeCertificateExport,
      exchangeCertificateImport,
      exchangeCertificateList,
      exchangeCertificateRenew,
      exchangeCertificateRevoke,
      exchangeExport,
      exchangeApprove,
      exchangeRequest,
      exchangeRequestShow,
      exchangeInspect,
      exchangeImport,
      exchangeReceipt,
      exchangeWithdraw,
      exchangeWithdrawApply,
      exchangeLogCommand,
    ]
  },
  async peer() {
    const { peerAccept, peerAdd, peerList, peerPush, peerPull } = await import('./commands/peer.ts')
    const { peerWithdraw } = await import('./commands/peer-withdraw.ts')
    const { peerAsk } = await import('./commands/peer-ask.ts')
    return [peerAccept, peerAdd, peerList, peerPush, peerPull, peerWithdraw, peerAsk]
  },
  async operator() {
    const { operatorAdd, operatorList, operatorRevoke } = await import('./commands/operator.ts')
    return [operatorAdd, operatorList, operatorRevoke]
  },
  async 'master-key'() {
    const { masterKeyShow, masterKeyReseal } = await import('./commands/master-key.ts')
    const { masterKeyRotate } = await import('./commands/master-key-rotate.ts')
    const { masterKeyUnseal } = await import('./commands/master-key-unseal.ts')
    return [masterKeyShow, masterKeyRotate, masterKeyReseal, masterKeyUnseal]
  },
  async recovery() {
    const { recoverySetup } = await import('./commands/recovery-setup.ts')
    const { recoveryShow, recoveryPaper, recoveryVerify, recoveryOpen } =
      await import('./commands/recovery.ts')
    return [recoverySetup, recoveryShow, recoveryPaper, recoveryVerify, recoveryOpen]
  },
  async backup() {
    const { backupCreate, backupVerify, backupRestore, backupList } =
      await import('./commands/backup.ts')
    const { backupScheduleSet, backupScheduleList, backupScheduleRemove } =
      await import('./commands/backup-schedule.ts')
    return [
      backupCreate,
      backupVerify,
      backupRestore,
      backupList,
      backupScheduleSet,
      backupScheduleList,
      backupScheduleRemove,
    ]
  },
  async journal() {
    const { journalVerify, journalReplay, journalRestore } = await import('./commands/journal.ts')
    const { journalPrune } = await import('./commands/journal-prune.ts')
    return [journalVerify, journalReplay, journalRestore, journalPrune]
  },
  async audit() {
    const { auditList, auditVerify, auditExport } = await import('./commands/audit.ts')
    return [auditList, auditVerify, auditExport]
  },
  async ttlv() {
    const { ttlvDecode, ttlvEncode } = await import('./commands/ttlv.ts')
    const { ttlvCall } = await import('./commands/ttlv-call.ts')
    return [ttlvDecode, ttlvEncode, ttlvCall]
  },
}

/** Every command. */
export async function allCommands(): Promise<readonly Command[]> {
  return commandsOf(Object.keys(groups))
}

/** Those whose first word is among the words of a command line. */
export async function commandsOf(line: readonly string[]): Promise<readonly Command[]> {
  const wanted = Object.entries(groups).filter(([word]) => line.includes(word))
  return (await Promise.all(wanted.map(([, load]) => load()))).flat()
}
