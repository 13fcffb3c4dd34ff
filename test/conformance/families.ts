// Which families of cases this release runs. The list only grows; what it leaves out is counted
// and said in the report.

/** Families by name: a case's name without its number and version (`TL-M-3-14` is of `TL-M`). */
export const families: readonly string[] = [
  // OASIS: tape library profile
  'TL-M',
  // of our own making (test/vectors/profiles)
  'KR-TAPE',
  'KR-OBJ',
  'KR-LIFE',
  'KR-BATCH',
  'KR-ATTR',
  'KR-LOCATE',
  'KR-VERSION',
]
