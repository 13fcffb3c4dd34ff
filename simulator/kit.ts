// An enrolment kit as `keyreel library add` writes it: who the library is to its key servers.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { SimulatorError } from './errors.ts'

/** The contents of `ca.pem`, `certificate.pem` and `key.pem`. */
export interface Kit {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Reads a kit; throws SimulatorError 'kit' naming the file that cannot be read. */
export async function readKit(directory: string): Promise<Kit> {
  const read = async (name: string) => {
    try {
      return await readFile(join(directory, name), 'utf8')
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
      throw new SimulatorError('kit', `cannot read ${join(directory, name)}: ${why}`, { cause })
    }
  }
  return {
    ca: await read('ca.pem'),
    certificate: await read('certificate.pem'),
    key: await read('key.pem'),
  }
}
