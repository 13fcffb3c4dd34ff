// Words of command lines that are printed for people to run: as a shell reads them.

/** A word as it is typed in a POSIX shell: quoted when it holds anything but what never means more than itself. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
