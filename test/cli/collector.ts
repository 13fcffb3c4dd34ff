// A stream that keeps what is written to it, for tests to read.
import { Writable } from 'node:stream'

/** Keeps everything written as text. */
export class Collector extends Writable {
  #chunks: Buffer[] = []

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }

  /** All that was written since the last call. */
  take(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8')
    this.#chunks = []
    return text
  }
}
