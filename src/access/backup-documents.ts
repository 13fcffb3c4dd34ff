// What is kept about backups: rows of the documents' table. Times are seconds since 1970.
import { z } from 'zod'

const seconds = z.number().int()
const optionalText = z.string().optional()

/** Kinds of documents about backups, by what names a document of it. */
export const backupShapes = {
  /** By backup id: a backup that was made, and when a copy of it was last found whole. */
  backup: z.strictObject({
    created: seconds,
    /** Before the moment whose state it has: what was changed from then on may not be in it. */
    begun: seconds.optional(),
    file: z.string(),
    bytes: z.number().int().optional(),
    recovery: z.string(),
    digest: z.string(),
    objects: z.number().int(),
    /** The highest number of an object in it. */
    newest: z.number().int(),
    verified: seconds.optional(),
    /** The schedule that made it, and on which node of several. */
    schedule: optionalText,
    node: optionalText,
    /** When the server deleted the file, or found that it was gone. */
    removed: seconds.optional(),
  }),
  /** By name: backups that the server makes by itself. */
  'backup-schedule': z.strictObject({
    directory: z.string(),
    /** Seconds from one to the next. */
    every: seconds,
    /** Seconds after midnight, UTC; then `every` is a number of whole days. */
    at: seconds.optional(),
    /** So many verified ones are always kept … */
    keep: z.number().int(),
    /** … and all that are younger than so many days. */
    keepDays: z.number().int().optional(),
    /** The directory is on another disk than the data directory: it must not be found on the same. */
    elsewhere: z.boolean(),
    added: seconds,
  }),
} as const
