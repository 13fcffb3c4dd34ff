// The few forms of Markdown that the reference pages are made of.

/** A cell or a line of text as it is written. */
export type Cell = string | number | undefined

/** A table; an undefined cell is left empty. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => escaped(String(cell ?? ''))).join(' | ')} |`
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text in the typeface of code. */
export function code(text: Cell): string {
  return `\`${text}\``
}

/** A block of text that is shown as it is. */
export function block(text: string, language = 'text'): string {
  return `\`\`\`${language}\n${text}\n\`\`\``
}

/** Paragraphs, headings and tables, one below the other. */
export function sections(...parts: readonly string[]): string {
  return parts.map((part) => part.trim()).join('\n\n')
}

/** A name of the wire as people read it: `GetAttributeList` is `Get Attribute List`. */
export function spaced(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s$)/g, ' ')
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
