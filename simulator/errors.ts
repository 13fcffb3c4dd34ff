// What a scenario got wrong when it set up the simulated hardware; what the hardware itself reports
// to its initiator is a CheckCondition (sense.ts).

export type SimulatorErrorCode =
  | 'barcode'
  | 'kad'
  | 'cartridge-exists'
  | 'cartridge-format'
  | 'cartridge-in-use'
  | 'drive-in-use'
  | 'library-layout'
  | 'no-such-cartridge'
  | 'no-such-drive'
  | 'personality'
  | 'credential'
  | 'server-list'
  | 'kit'

/** A mistake in the use of the simulator; `code` is stable, the message names the thing. */
export class SimulatorError extends Error {
  readonly code: SimulatorErrorCode

  constructor(code: SimulatorErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SimulatorError'
    this.code = code
  }
}
