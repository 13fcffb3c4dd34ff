import type { Bundle, Manifest } from './manifest.ts'

/** The parts of a file as its manifest tells them: what a reader needs to find and open them. */
export type PartList = Pick<
  Manifest,
  'BundlePart' | 'PartsEnclosed' | 'PartKey' | 'ExportIdentifier'
> &
  Pick<Bundle, 'PartContent'>
