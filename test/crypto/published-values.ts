/** Bytes out of the published cases, when KEYREEL_OASIS_CASES names their folder. */
import { test } from 'vitest'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env['KEYREEL_OASIS_CASES'] || undefined

/** Whether the published cases are at hand. */
export const hasPublishedCases = folder !== undefined && existsSync(join(folder, 'v1.4'))

/** A test over the published cases. Without a folder of them it does not exist, which is no skip. */
export function publishedTest(name: string, run: () => void | Promise<void>): void {
  if (hasPublishedCases) test(name, run)
}

/** Every value of an element in a case of version 1.4, in order: Byte Strings as bytes. */
export function publishedValues(caseName: string, element: string): Uint8Array[] {
  const text = readFileSync(join(folder!, 'v1.4', `${caseName}.xml`), 'utf8')
  const pattern = new RegExp(`<${element} type="ByteString" value="([0-9a-fA-F]*)"`, 'g')
  return [...text.matchAll(pattern)].map(([, digits]) => Buffer.from(digits!, 'hex'))
}
