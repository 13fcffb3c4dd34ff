// The scenarios, one line each, in the order of their numbers. T-10, a tape read at another site, takes
// two key servers: scenarios/other-site.ts, played by `npm run demo:exchange`.

import { append } from './scenarios/append.ts'
import { damagedTape } from './scenarios/damaged-tape.ts'
import { duplicateIdentifier } from './scenarios/duplicate-identifier.ts'
import { everyVersion } from './scenarios/every-version.ts'
import { firstWrite } from './scenarios/first-write.ts'
import { keyStates } from './scenarios/key-states.ts'
import { lostAnswer } from './scenarios/lost-answer.ts'
import { olderTape } from './scenarios/older-tape.ts'
import { overwrite } from './scenarios/overwrite.ts'
import { sameBarcode } from './scenarios/same-barcode.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { serverDown } from './scenarios/server-down.ts'
import { shortBarcodes } from './scenarios/short-barcodes.ts'
import { singleRequests } from './scenarios/single-requests.ts'
import { unknownKey } from './scenarios/unknown-key.ts'
import { vendorNamespace } from './scenarios/vendor-namespace.ts'
import { wrongKey } from './scenarios/wrong-key.ts'

/** Every scenario. */
export const scenarios: readonly Scenario[] = [
  firstWrite,
  append,
  overwrite,
  serverDown,
  unknownKey,
  wrongKey,
  damagedTape,
  olderTape,
  sameBarcode,
  singleRequests,
  vendorNamespace,
  keyStates,
  duplicateIdentifier,
  shortBarcodes,
  everyVersion,
  lostAnswer,
]
