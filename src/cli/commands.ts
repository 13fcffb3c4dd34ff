// The table of commands: one line per command, in the order of the help pages.
import { auditExport, auditList, auditVerify } from './commands/audit.ts'
import { backupCreate, backupList, backupRestore, backupVerify } from './commands/backup.ts'
import {
  backupScheduleList,
  backupScheduleRemove,
  backupScheduleSet,
} from './commands/backup-schedule.ts'
import { cartridgeList, cartridgeShow } from './commands/cartridge.ts'
import { databaseMove } from './commands/database.ts'
import { doctor } from './commands/doctor.ts'
import {
  exchangeCertificateExport,
  exchangeCertificateImport,
  exchangeCertificateList,
  exchangeCertificateRenew,
  exchangeCertificateRevoke,
} from './commands/exchange-certificate.ts'
import { exchangeApprove } from './commands/exchange-approve.ts'
import { exchangeExport } from './commands/exchange-export.ts'
import { exchangeImport } from './commands/exchange-import.ts'
import { exchangeInspect } from './commands/exchange-inspect.ts'
import { exchangeLogCommand } from './commands/exchange-log.ts'
import { exchangeReceipt } from './commands/exchange-receipt.ts'
import { exchangeRequest, exchangeRequestShow } from './commands/exchange-request.ts'
import { exchangeWithdraw, exchangeWithdrawApply } from './commands/exchange-withdraw.ts'
import { groupList, groupSet, groupShow } from './commands/group.ts'
import { init } from './commands/init.ts'
import { libraryAdd, libraryRenew, libraryRevoke } from './commands/library.ts'
import { libraryCredentialAdd } from './commands/library-credential.ts'
import {
  libraryListenerList,
  libraryListenerRemove,
  libraryListenerSet,
} from './commands/library-listener.ts'
import { cartridgeHold, cartridgeRelease, keyHold, keyRelease } from './commands/hold.ts'
import { journalReplay, journalRestore, journalVerify } from './commands/journal.ts'
import { keyDestroy, keyList, keyRecover, keyShow } from './commands/key.ts'
import { libraryList, libraryShow } from './commands/library-views.ts'
import { masterKeyReseal, masterKeyShow } from './commands/master-key.ts'
import { masterKeyUnseal } from './commands/master-key-unseal.ts'
import { masterKeyRotate } from './commands/master-key-rotate.ts'
import { operatorAdd, operatorList, operatorRevoke } from './commands/operator.ts'
import { peerAccept, peerAdd, peerList, peerPull, peerPush } from './commands/peer.ts'
import { peerAsk } from './commands/peer-ask.ts'
import { peerWithdraw } from './commands/peer-withdraw.ts'
import { recoveryOpen, recoveryPaper, recoveryShow, recoveryVerify } from './commands/recovery.ts'
import { recoverySetup } from './commands/recovery-setup.ts'
import { serve } from './commands/serve.ts'
import { serverCertificateRenew, serverCertificateShow } from './commands/server.ts'
import { status } from './commands/status.ts'
import { ttlvCall } from './commands/ttlv-call.ts'
import { ttlvDecode, ttlvEncode } from './commands/ttlv.ts'
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

/** Every command. */
export const commands: readonly Command[] = [
  init,
  serve,
  status,
  doctor,
  databaseMove,
  libraryAdd,
  libraryList,
  libraryShow,
  libraryRenew,
  libraryRevoke,
  libraryCredentialAdd,
  libraryListenerSet,
  libraryListenerList,
  libraryListenerRemove,
  groupList,
  groupShow,
  groupSet,
  serverCertificateShow,
  serverCertificateRenew,
  cartridgeList,
  cartridgeShow,
  cartridgeHold,
  cartridgeRelease,
  keyList,
  keyShow,
  keyRecover,
  keyDestroy,
  keyHold,
  keyRelease,
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
  peerAccept,
  peerAdd,
  peerList,
  peerPush,
  peerPull,
  peerWithdraw,
  peerAsk,
  operatorAdd,
  operatorList,
  operatorRevoke,
  masterKeyShow,
  masterKeyRotate,
  masterKeyReseal,
  masterKeyUnseal,
  recoverySetup,
  recoveryShow,
  recoveryPaper,
  recoveryVerify,
  recoveryOpen,
  backupCreate,
  backupVerify,
  backupRestore,
  backupList,
  backupScheduleSet,
  backupScheduleList,
  backupScheduleRemove,
  journalVerify,
  journalReplay,
  journalRestore,
  auditList,
  auditVerify,
  auditExport,
  ttlvDecode,
  ttlvEncode,
  ttlvCall,
]
