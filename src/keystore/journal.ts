// A journal: every row that the keystore writes, on another disk before it is committed. What is in it and
// was never committed is told by the audit rows beside it. It counts as a copy while it holds everything;
// while its disk is away the keystore goes on without it, and what it has missed is caught up with later.
import { entriesOf } from './audit.ts'
import { text, type JournalEntry, type JournalHead } from './journal-format.ts'
import type { OpenedJournal } from './journal-opening.ts'
import { documentEntry, objectEntry } from './journal-rows.ts'
import { isAway, JournalLost, wordsOf } from './journal-trouble.ts'
import { JournalWriter, type JournalPlace } from './journal-writer.ts'
import type { Copies } from './ready.ts'
import type { AuditRow, StorageReader } from './storage.ts'

/** Told of it. */
export interface JournalLog {
  info(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** What is known of a journal at the moment. */
export interface JournalStatus {
  readonly path: string
  /** 'current' is a copy; 'behind' is being brought up to date; 'away' cannot be written. */
  readonly state: 'current' | 'behind' | 'away'
  /** Why it is away. */
  readonly reason: string | undefined
  /** Bytes of its files. */
  readonly bytes: number
}

/** How a journal stands to the keystore's audit chains. */
export type JournalStanding =
  /** It may have missed something, but has nothing that the keystore lacks. */
  | { readonly kind: 'behind' }
  /** The newest file holds what the keystore lacks: what was under way when the last process ended. */
  | { readonly kind: 'ahead'; readonly frames: number; readonly file: string }
  /** It holds more than can have been under way, or another history. */
  | { readonly kind: 'other'; readonly chain: string }

const none: JournalHead = { chain: '', last: 0, mac: '' }

/** Most frames that a process can have left uncommitted. */
const underWay = 8

/** Subjects and audit rows in one step of catching up: other writers wait meanwhile. */
const subjectsPerStep = 100
const rowsPerStep = 256

const toldEvery = 60_000

/** Records of changed wraps, which are no rows that the audit record names. */
const operationsOnWraps: ReadonlySet<string> = new Set(['Epoch Begun', 'Master Key Added'])

/** A journal in use: by the one server that writes it, or by a command that writes a file of its own beside it. */
export class Journal {
  readonly path: string
  readonly #role: JournalPlace['role']
  readonly #writer: JournalWriter
  readonly #log: JournalLog
  #state: JournalStatus['state'] = 'away'
  #reason: string | undefined = 'not opened yet'
  #opened: OpenedJournal | undefined
  #heads = new Map<string, JournalHead>()
  #before: ReadonlyMap<string, JournalHead> | undefined
  #epochs = new Set<number>()
  /** While it is behind: rows that are in it as they stand now, by subject. */
  readonly #caughtUp = new Map<string, string>()
  #toldAt = -Infinity
  /** The last frame that this process knows to be whole; those behind it were undone. */
  #acknowledged: number | undefined
  /** Whether it is known to have held everything once. */
  #wasWhole = false
  /** Frames whose transaction was not committed. */
  readonly #undone = new Set<number>()

  constructor(place: JournalPlace, log: JournalLog) {
    this.path = place.path
    this.#role = place.role
    this.#writer = new JournalWriter(place)
    this.#log = log
  }

  get status(): JournalStatus {
    const { path } = this
    return { path, state: this.#state, reason: this.#reason, bytes: this.#writer.bytes }
  }

  get isCurrent(): boolean {
    return this.#state === 'current'
  }

  /** The journal's own identity, once it was opened. */
  get id(): string | undefined {
    return this.#opened?.journal
  }

  /** What it adds to the copies that the database is. */
  added(): Copies {
    if (this.#state === 'current') return { count: 1, missing: 'there is one journal' }
    const missing =
      this.#state === 'behind' ? 'the journal is being brought up to date' : 'the journal is away'
    return {
      count: 0,
      missing: this.#reason === undefined ? missing : `${missing} (${this.#reason})`,
    }
  }

  /** Looks for it; away when its disk is. Throws UserError for one that must not be used. */
  async open(): Promise<boolean> {
    if (this.#writer.isStuck) return false
    try {
      const opened = await this.#writer.open()
      this.#opened = { ...opened, tail: opened.tail.filter(({ frame }) => this.#counts(frame)) }
    } catch (error) {
      if (!isAway(error)) throw error
      this.#away(error)
      return false
    }
    this.#epochs = new Set(this.#opened.epochs)
    this.#wasWhole ||= this.#opened.isWhole
    this.#heads = headsIn(this.#opened)
    // What this process had given up, and is there after all, was undone.
    const { sequence } = this.#writer
    for (let frame = (this.#acknowledged ?? sequence) + 1; frame <= sequence; frame++)
      this.#undone.add(frame)
    this.#acknowledged = sequence
    this.#state = 'behind'
    this.#reason = undefined
    this.#caughtUp.clear()
    // A command adds to what a server keeps up to date.
    if (this.#role === 'command') {
      if (this.#wasWhole) this.#state = 'current'
      else this.#reason = 'its server has not brought it up to date yet'
    }
    return true
  }

  /** It is not to be used, for that reason. */
  refuse(reason: string): void {
    this.#away(new Error(reason))
  }

  /** Compares it with the keystore; asked after it was opened, before anything is written. */
  async standing(rows: StorageReader): Promise<JournalStanding> {
    const found = await this.#compared(rows)
    const { tail, file } = this.#opened!
    const doubtful = tail.at(-1)?.frame
    if (found.kind !== 'other' || doubtful === undefined || file === undefined) return found
    // The disk failed to sync or take back the last frame, and is found to have it: the keystore went on without.
    const heads = this.#heads
    this.#heads = headsIn({ ...this.#opened!, tail: tail.filter(({ frame }) => frame < doubtful) })
    if ((await this.#compared(rows)).kind === 'behind') {
      this.#undone.add(doubtful)
      return { kind: 'ahead', frames: 1, file }
    }
    this.#heads = heads
    return found
  }

  async #compared(rows: StorageReader): Promise<JournalStanding> {
    const chains = new Set([...(await rows.chains()), ...this.#heads.keys()])
    let frames = 0
    for (const chain of chains) {
      const ours = this.#headOf(chain)
      const head = await rows.auditHead(chain)
      const last = head?.last ?? 0
      if (last >= ours.last) {
        if (await isPartOf(rows, ours)) continue
        return { kind: 'other', chain }
      }
      const more = this.#framesAfter(chain, last, head === undefined ? '' : text(head.mac))
      if (more === undefined) return { kind: 'other', chain }
      frames += more
    }
    if (frames === 0) return { kind: 'behind' }
    const [first] = chains
    if (frames > underWay) return { kind: 'other', chain: first! }
    return { kind: 'ahead', frames, file: this.#opened!.file! }
  }

  /**
   * Appends what a transaction has written, its audit rows last, and syncs it. Nothing where only the audit
   * record grew: that comes with the next. Throws JournalLost.
   */
  async keep(rows: StorageReader, entries: readonly JournalEntry[]): Promise<void> {
    this.#before = undefined
    if (!this.isCurrent || entries.every(({ kind }) => kind === 'audit')) return
    const missed = await this.#missed(rows, entries)
    // With what those records speak of: a command that wrote no journal may have written it.
    const before = await this.#recorded(rows, missed)
    await this.#append(rows, [...before, ...entries], false)
  }

  /** Audit rows before those of a transaction that the journal has not got yet. */
  async #missed(rows: StorageReader, entries: readonly JournalEntry[]): Promise<AuditRow[]> {
    const begins = new Map<string, number>()
    for (const entry of entries) {
      if (entry.kind === 'audit' && !begins.has(entry.row.chain))
        begins.set(entry.row.chain, entry.row.first)
    }
    // A chain that the journal does not know was announced in another.
    const isNew = [...begins.keys()].some((chain) => this.#headOf(chain).last === 0)
    for (const chain of isNew ? await rows.chains() : []) {
      if (!begins.has(chain)) begins.set(chain, ((await rows.auditHead(chain))?.last ?? 0) + 1)
    }
    const missed: AuditRow[] = []
    for (const [chain, first] of begins) {
      const { last } = this.#headOf(chain)
      if (first <= last + 1) continue
      const between = await rows.auditAfter(chain, last, first - last)
      missed.push(...between.filter((row) => row.first < first))
    }
    return missed
  }

  /** The transaction whose rows were kept last was not committed: the next one takes its place. */
  undo(): void {
    if (this.#before === undefined) return
    this.#heads = new Map(this.#before)
    this.#before = undefined
    this.#undone.add(this.#writer.sequence)
  }

  /**
   * One step of catching up with what others wrote, or was written while it was away; inside a transaction.
   * False when there was nothing. Throws JournalLost.
   */
  async catchUp(rows: StorageReader): Promise<boolean> {
    if (this.#state === 'away') return false
    const found: AuditRow[] = []
    const subjects = new Map<string, boolean>()
    for (const chain of await rows.chains()) {
      for (const row of await rows.auditAfter(chain, this.#headOf(chain).last, rowsPerStep)) {
        if (subjects.size > subjectsPerStep || found.length >= rowsPerStep) break
        found.push(row)
        noteSubjects(row, subjects)
      }
    }
    const isWhole = found.length === 0
    if (isWhole && this.#state === 'current') return false
    await this.#append(rows, await this.#recorded(rows, found), isWhole)
    if (!isWhole) return true
    this.#state = 'current'
    this.#wasWhole = true
    this.#caughtUp.clear()
    this.#log.info({ journal: this.path }, 'the journal holds everything in the keystore')
    return false
  }

  /** Whether it holds everything of the chains of these rows, up to them. */
  covers(rows: readonly Pick<JournalHead, 'chain' | 'last'>[]): boolean {
    return rows.every(({ chain, last }) => last <= this.#headOf(chain).last)
  }

  close(): void {
    this.#writer.close()
  }

  /** Audit rows, behind the rows that they speak of as those stand now. */
  async #recorded(rows: StorageReader, audit: readonly AuditRow[]): Promise<JournalEntry[]> {
    const subjects = new Map<string, boolean>()
    for (const row of audit) noteSubjects(row, subjects)
    const entries = await this.#rowsOf(rows, subjects)
    if (audit.some(touchesWraps))
      for (const row of await rows.wraps()) entries.unshift({ kind: 'wrap', row })
    for (const row of audit) entries.push({ kind: 'audit', row })
    return entries
  }

  async #rowsOf(
    rows: StorageReader,
    subjects: ReadonlyMap<string, boolean>,
  ): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = []
    for (const [subject, isDocument] of subjects) {
      const entry = isDocument
        ? await documentEntry(rows, subject)
        : await objectEntry(rows, subject)
      if (entry === undefined) continue
      const { mac, sealed } = entry.row
      const stands = `${text(mac)} ${sealed === null}`
      if (this.#state === 'behind') {
        if (this.#caughtUp.get(subject) === stands) continue
        this.#caughtUp.set(subject, stands)
      }
      entries.push(entry)
    }
    return entries
  }

  async #append(
    rows: StorageReader,
    entries: readonly JournalEntry[],
    whole: boolean,
  ): Promise<void> {
    const before = new Map(this.#heads)
    if (this.#writer.beginsFile) this.#epochs.clear()
    const unknown = entries.some((entry) => 'row' in entry && !this.#epochs.has(entry.row.epoch))
    const wraps = unknown ? await rows.wraps() : []
    const all = [...wraps.map((row): JournalEntry => ({ kind: 'wrap', row })), ...entries]
    const time = Math.floor(Date.now() / 1000)
    try {
      const begin = { heads: [...before.values()], whole: this.#wasWhole }
      await this.#writer.append({ time, whole, entries: all }, begin)
    } catch (error) {
      this.#away(error)
      throw new JournalLost(error)
    }
    this.#before = before
    this.#acknowledged = this.#writer.sequence
    for (const entry of all) {
      if (entry.kind === 'wrap') this.#epochs.add(entry.row.epoch)
      if (entry.kind !== 'audit') continue
      const { chain, last, mac } = entry.row
      this.#heads.set(chain, { chain, last, mac: text(mac) })
    }
  }

  #counts(frame: number): boolean {
    if (this.#acknowledged === undefined) return true
    return frame <= this.#acknowledged && !this.#undone.has(frame)
  }

  #headOf(chain: string): JournalHead {
    return this.#heads.get(chain) ?? none
  }

  /** Frames of the newest file that hold rows of a chain after one; undefined when that one is not in it. */
  #framesAfter(chain: string, last: number, mac: string): number | undefined {
    const { before, tail } = this.#opened!
    const rows = tail.filter((row) => row.chain === chain)
    const start = before.find((head) => head.chain === chain) ?? none
    const at = rows.findLastIndex((row) => row.last === last && row.mac === mac)
    if (at < 0 && (start.last !== last || start.mac !== mac)) return undefined
    return new Set(rows.slice(at + 1).map(({ frame }) => frame)).size
  }

  #away(error: unknown): void {
    const reason = wordsOf(error)
    const isNews = this.#state !== 'away' || this.#reason !== reason
    this.#state = 'away'
    this.#reason = reason
    this.#writer.close()
    const now = performance.now()
    if (!isNews && now - this.#toldAt < toldEvery) return
    this.#toldAt = now
    const what = 'the journal is away: groups that want two copies get no new keys'
    this.#log.error({ alarm: true, journal: this.path, reason }, what)
  }
}

/** What an audit row speaks of, and whether that is a document. */
function noteSubjects(row: AuditRow, subjects: Map<string, boolean>): void {
  for (const { changes, operation, object } of entriesOf(row)) {
    for (const change of changes) subjects.set(change.object, change.document === true)
    if (operation === 'Wipe' && object !== undefined) subjects.set(object, false)
  }
}

function touchesWraps(row: AuditRow): boolean {
  return entriesOf(row).some(({ operation }) => operationsOnWraps.has(operation))
}

/** Up to where a journal goes: behind damage there is a gap, which is caught up with. */
function headsIn({ before, tail }: OpenedJournal): Map<string, JournalHead> {
  const heads = new Map(before.map((head) => [head.chain, head]))
  for (const { chain, first, last, mac } of tail) {
    if (first <= (heads.get(chain) ?? none).last + 1) heads.set(chain, { chain, last, mac })
  }
  return heads
}

/** Whether the keystore's chain has gone on from there. */
async function isPartOf(rows: StorageReader, { chain, last, mac }: JournalHead): Promise<boolean> {
  if (last === 0) return true
  const [row] = await rows.auditBefore(chain, last + 1, 1)
  return row?.last === last && text(row.mac) === mac
}
