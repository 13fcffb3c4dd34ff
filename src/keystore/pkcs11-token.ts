// A token behind a PKCS#11 module: found by its label or serial number, logged in to, and found again when its
// session was lost. A PIN that was refused is never tried again: not by this process, and by none without a person
// once the token says that a PIN was wrong, or as long as the file that holds it is as it was.
import { mac } from '../crypto/primitives/mac.ts'
import { toHex } from '../crypto/primitives/hash.ts'
import { randomBytes } from '../crypto/primitives/random.ts'
import { symmetricKey } from '../crypto/primitives/symmetric-key.ts'
import type { Secret } from '../crypto/secret.ts'
import { UserError } from '../errors.ts'
import {
  codeOf,
  explained,
  isAway,
  isPinError,
  locked,
  messageOf,
  missing,
  notTried,
  returned,
  unclearReturns,
  unfit,
  wrongPin,
  type TokenPlace,
} from './pkcs11-errors.ts'
import type { RefusedPins } from './refused-pins.ts'
import {
  loadModule,
  type Handle,
  type Pkcs11Api,
  type Pkcs11Constants,
  type Pkcs11Module,
  type TokenAttribute,
} from './pkcs11-module.ts'

/** Where the PIN comes from. */
export interface Pin {
  /** Whether a person gives it now, who can judge whether to try. */
  readonly attended: boolean
  /** The PIN, which the token takes over; `remark` is for the person. */
  read(remark: string): Promise<Secret>
  /** What earlier processes know of it, where it is in a file. */
  readonly remembered?: RefusedPins
}

/** A session in which a key can be used. */
export interface KeySession {
  encrypt(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Uint8Array
  decrypt(nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array
}

const label = 'keyreel master key'
const keyLength = 32
const tagBits = 128

/** PINs that were refused, as MACs under a key of this process. */
const refused = new Set<string>()
const refusedKey = symmetricKey(randomBytes(32))

/** A token that was logged in to. */
export class Token {
  readonly #place: TokenPlace
  readonly #module: Pkcs11Module
  #session: Handle | undefined
  #pin: Secret | undefined
  /** Why the PIN is known no longer. */
  #refusal: UserError | undefined
  #label: string

  private constructor(place: TokenPlace, module: Pkcs11Module) {
    this.#place = place
    this.#module = module
    this.#label = place.token ?? ''
  }

  /**
   * Finds the token and logs in. Throws UserError: 'pkcs11-module' and 'token-missing' (11), 'wrong-pin' (12),
   * 'pin-locked', 'pin-not-tried' (11).
   */
  static async open(place: TokenPlace, pin: Pin): Promise<Token> {
    const token = new Token(place, await loadModule(place.module))
    try {
      await token.#enter(pin)
      return token
    } catch (error) {
      token.close()
      throw error
    }
  }

  get label(): string {
    return this.#label
  }

  /** Whether the token has a key of that identifier. */
  hasKey(id: Uint8Array): boolean {
    return this.#keyIn(this.#live(), id) !== undefined
  }

  /** Makes an AES-256 key that never leaves the token. Throws UserError 'token-unfit' when it would. */
  makeKey(id: Uint8Array): void {
    const { api, constants: c } = this.#module
    const session = this.#live()
    const template: TokenAttribute[] = [
      { type: c.CKA_CLASS, value: c.CKO_SECRET_KEY },
      { type: c.CKA_KEY_TYPE, value: c.CKK_AES },
      { type: c.CKA_VALUE_LEN, value: keyLength },
      { type: c.CKA_TOKEN, value: true },
      { type: c.CKA_PRIVATE, value: true },
      { type: c.CKA_SENSITIVE, value: true },
      { type: c.CKA_EXTRACTABLE, value: false },
      { type: c.CKA_ENCRYPT, value: true },
      { type: c.CKA_DECRYPT, value: true },
      { type: c.CKA_LABEL, value: label },
      { type: c.CKA_ID, value: Buffer.from(id) },
    ]
    try {
      const key = api.C_GenerateKey(session, { mechanism: c.CKM_AES_KEY_GEN }, template)
      const found = api.C_GetAttributeValue(session, key, [
        { type: c.CKA_NEVER_EXTRACTABLE },
        { type: c.CKA_ALWAYS_SENSITIVE },
      ])
      if (found.every(({ value }) => Buffer.isBuffer(value) && value[0] === 1)) return
      api.C_DestroyObject(session, key)
    } catch (cause) {
      throw unfit(this.#label, `it cannot make an AES key (${messageOf(cause)})`, cause)
    }
    throw unfit(this.#label, 'its keys can be taken out of it')
  }

  /**
   * Runs `act` with the key. A lost session is opened again, once, with the PIN that was right before. Throws
   * UserError 'token-missing' (11) when the token is gone.
   */
  use<T>(id: Uint8Array, act: (session: KeySession) => T): T {
    try {
      return this.#act(id, act)
    } catch (error) {
      const isLost = error instanceof UserError || isAway(error)
      if (!isLost && !unclearReturns.has(codeOf(error) ?? 0)) throw error
    }
    try {
      this.#enterAgain()
    } catch (cause) {
      if (cause instanceof UserError) throw cause
      throw missing(this.#place, [], cause)
    }
    return this.#act(id, act)
  }

  /** Ends the session and forgets the PIN. */
  close(): void {
    this.#leave()
    this.#pin?.wipe()
    this.#pin = undefined
    this.#module.release()
  }

  #act<T>(id: Uint8Array, act: (session: KeySession) => T): T {
    const { api, constants: c } = this.#module
    const session = this.#live()
    const key = this.#keyIn(session, id)
    if (key === undefined) throw missing(this.#place, [])
    const mechanism = (nonce: Uint8Array, additional: Uint8Array) => ({
      mechanism: c.CKM_AES_GCM,
      parameter: {
        type: c.CK_PARAMS_AES_GCM_v240,
        iv: Buffer.from(nonce),
        ivBits: nonce.length * 8,
        aad: Buffer.from(additional),
        tagBits,
      },
    })
    return act({
      encrypt(nonce, additional, plain) {
        api.C_EncryptInit(session, mechanism(nonce, additional), key)
        return api.C_Encrypt(session, Buffer.from(plain), Buffer.alloc(plain.length + tagBits / 8))
      },
      decrypt(nonce, additional, sealed) {
        api.C_DecryptInit(session, mechanism(nonce, additional), key)
        return api.C_Decrypt(session, Buffer.from(sealed), Buffer.alloc(sealed.length))
      },
    })
  }

  #live(): Handle {
    if (this.#session === undefined) throw missing(this.#place, [])
    return this.#session
  }

  #keyIn(session: Handle, id: Uint8Array): Handle | undefined {
    const { api, constants: c } = this.#module
    api.C_FindObjectsInit(session, [
      { type: c.CKA_CLASS, value: c.CKO_SECRET_KEY },
      { type: c.CKA_ID, value: Buffer.from(id) },
    ])
    try {
      return api.C_FindObjects(session, 1)[0]
    } finally {
      api.C_FindObjectsFinal(session)
    }
  }

  async #enter(pin: Pin): Promise<void> {
    const { slot, flags, serial } = this.#openSession()
    const { constants: c } = this.#module
    if (flags & c.CKF_USER_PIN_LOCKED) throw locked(this.#label)
    const remark = remarkOf(flags, c)
    if (remark !== '' && !pin.attended) throw notTried(this.#label, remark)
    if (pin.remembered?.wasRefused(serial) === true)
      throw notTried(this.#label, 'it was refused before, and the file is as it was')
    const secret = await pin.read(remark === '' ? '' : ` (the token says: ${remark})`)
    const mark = markOf(serial, secret)
    if (refused.has(mark)) {
      secret.wipe()
      throw wrongPin(this.#label, 'it was refused before and is not tried again')
    }
    try {
      this.#login(secret)
      this.#pin = secret
      pin.remembered?.noteAccepted(secret)
    } catch (error) {
      secret.wipe()
      if (!isPinError(error)) throw explained(error, this.#label)
      refused.add(mark)
      pin.remembered?.noteRefused(serial)
      if (codeOf(error) === returned.pinLocked) throw locked(this.#label, error)
      const now = this.#module.api.C_GetTokenInfo(slot).flags
      if (now & c.CKF_USER_PIN_LOCKED) throw locked(this.#label, error)
      throw wrongPin(this.#label, remarkOf(now, c), error)
    }
  }

  /** As `enter`, with the PIN that was right; one that is refused now was changed, and is forgotten. */
  #enterAgain(): void {
    this.#leave()
    const pin = this.#pin
    if (pin === undefined) throw this.#refusal ?? missing(this.#place, [])
    this.#module.restart()
    const { serial } = this.#openSession()
    try {
      this.#login(pin)
    } catch (error) {
      if (!isPinError(error)) throw error
      refused.add(markOf(serial, pin))
      pin.wipe()
      this.#pin = undefined
      this.#refusal = wrongPin(this.#label, 'it was changed while the token was away', error)
      throw this.#refusal
    }
  }

  #login(pin: Secret): void {
    const { api, constants: c } = this.#module
    try {
      api.C_Login(this.#live(), c.CKU_USER, Buffer.from(pin.bytes).toString('utf8'))
    } catch (error) {
      if (codeOf(error) !== returned.alreadyLoggedIn) throw error
    }
  }

  #openSession(): { slot: Handle; flags: number; serial: string } {
    const { api, constants: c } = this.#module
    const tokens = tokensOf(api, c.CKF_TOKEN_INITIALIZED)
    const wanted = this.#place.token
    const found = tokens.filter(
      (token) => wanted === undefined || token.label === wanted || token.serial === wanted,
    )
    const [token] = found
    if (token === undefined || found.length > 1) throw missing(this.#place, tokens)
    this.#label = token.label
    this.#session = api.C_OpenSession(token.slot, c.CKF_SERIAL_SESSION | c.CKF_RW_SESSION)
    return token
  }

  #leave(): void {
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    try {
      this.#module.api.C_CloseSession(session)
    } catch (error) {
      // The session went with its token: there is nothing left to close.
      if (codeOf(error) === undefined) throw error
    }
  }
}

interface FoundToken {
  readonly slot: Handle
  readonly label: string
  readonly serial: string
  readonly flags: number
}

function tokensOf(api: Pkcs11Api, initialised: number): FoundToken[] {
  return api.C_GetSlotList(true).flatMap((slot) => {
    const { label: name, serialNumber, flags } = api.C_GetTokenInfo(slot)
    if ((flags & initialised) === 0) return []
    return [{ slot, label: trimmed(name), serial: trimmed(serialNumber), flags }]
  })
}

/** PKCS#11 fills texts with blanks; some modules with zeros. */
function trimmed(text: string): string {
  return text.replace(/[\s\0]+$/, '')
}

function remarkOf(flags: number, c: Pkcs11Constants): string {
  if (flags & c.CKF_USER_PIN_FINAL_TRY) return 'one more wrong PIN locks it'
  if (flags & c.CKF_USER_PIN_COUNT_LOW) return 'a wrong PIN was given since the last right one'
  return ''
}

function markOf(serial: string, pin: Secret): string {
  return toHex(mac(refusedKey, `${serial}\n`, pin.bytes))
}
