// PKCS#11 modules of this process: each is loaded and initialised once, whoever uses it. pkcs11js is an optional
// dependency, compiled when it is installed.
import { exitStatus, UserError } from '../errors.ts'

/** A slot, session or object. */
export type Handle = Buffer

/** One attribute of an object; a value that is read comes as bytes. */
export interface TokenAttribute {
  readonly type: number
  readonly value?: number | boolean | string | Buffer
}

interface Mechanism {
  readonly mechanism: number
  readonly parameter?: object
}

/** The functions of PKCS#11 that are used here, as pkcs11js has them. */
export interface Pkcs11Api {
  load(path: string): void
  close(): void
  C_Initialize(): void
  C_Finalize(): void
  C_GetSlotList(withToken: boolean): Handle[]
  C_GetTokenInfo(slot: Handle): { label: string; serialNumber: string; flags: number }
  C_OpenSession(slot: Handle, flags: number): Handle
  C_CloseSession(session: Handle): void
  C_CloseAllSessions(slot: Handle): void
  C_Login(session: Handle, user: number, pin: string): void
  C_GenerateKey(session: Handle, mechanism: Mechanism, template: TokenAttribute[]): Handle
  C_DestroyObject(session: Handle, object: Handle): void
  C_GetAttributeValue(session: Handle, object: Handle, wanted: TokenAttribute[]): TokenAttribute[]
  C_FindObjectsInit(session: Handle, template: TokenAttribute[]): void
  C_FindObjects(session: Handle, most: number): Handle[]
  C_FindObjectsFinal(session: Handle): void
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_Encrypt(session: Handle, plain: Buffer, room: Buffer): Buffer
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_Decrypt(session: Handle, sealed: Buffer, room: Buffer): Buffer
}

/** Numbers of PKCS#11 that are used here, by their names. */
export type Pkcs11Constants = Readonly<
  Record<
    | 'CKA_CLASS'
    | 'CKA_KEY_TYPE'
    | 'CKA_VALUE'
    | 'CKA_VALUE_LEN'
    | 'CKA_TOKEN'
    | 'CKA_PRIVATE'
    | 'CKA_SENSITIVE'
    | 'CKA_EXTRACTABLE'
    | 'CKA_NEVER_EXTRACTABLE'
    | 'CKA_ALWAYS_SENSITIVE'
    | 'CKA_ENCRYPT'
    | 'CKA_DECRYPT'
    | 'CKA_LABEL'
    | 'CKA_ID'
    | 'CKF_RW_SESSION'
    | 'CKF_SERIAL_SESSION'
    | 'CKF_TOKEN_INITIALIZED'
    | 'CKF_USER_PIN_COUNT_LOW'
    | 'CKF_USER_PIN_FINAL_TRY'
    | 'CKF_USER_PIN_LOCKED'
    | 'CKK_AES'
    | 'CKM_AES_GCM'
    | 'CKM_AES_KEY_GEN'
    | 'CKO_SECRET_KEY'
    | 'CKU_USER'
    | 'CK_PARAMS_AES_GCM_v240',
    number
  >
>

type Pkcs11js = Pkcs11Constants & { readonly PKCS11: new () => Pkcs11Api }

/** Not a literal where it is imported: the compiler shall not need a package that may be missing. */
const packageName: string = 'pkcs11js'

/** A module in use. */
export interface Pkcs11Module {
  readonly api: Pkcs11Api
  readonly constants: Pkcs11Constants
  /** Starts the module again where nobody else uses it: some see tokens that came only then. */
  restart(): void
  /** Gives it back; the last user finalises it. */
  release(): void
}

interface Loaded {
  readonly api: Pkcs11Api
  users: number
  /** False after a restart that the module refused: there is nothing to finalise then. */
  isInitialised: boolean
}

const loaded = new Map<string, Loaded>()
const alreadyInitialised = 0x191

/** Loads a module. Throws UserError 'pkcs11-module', exit status 11. */
export async function loadModule(path: string): Promise<Pkcs11Module> {
  const constants = await pkcs11js()
  const module = loaded.get(path) ?? load(constants, path)
  module.users++
  let isReleased = false
  return {
    api: module.api,
    constants,
    restart() {
      if (module.users > 1) return
      if (module.isInitialised) module.api.C_Finalize()
      module.isInitialised = false
      initialise(module.api)
      module.isInitialised = true
    },
    release() {
      if (isReleased) return
      isReleased = true
      module.users--
      if (module.users > 0) return
      loaded.delete(path)
      if (module.isInitialised) module.api.C_Finalize()
      module.api.close()
    },
  }
}

function load({ PKCS11 }: Pkcs11js, path: string): Loaded {
  const api = new PKCS11()
  try {
    api.load(path)
    initialise(api)
  } catch (cause) {
    api.close()
    throw unusable(`the PKCS#11 module ${path} cannot be used: ${(cause as Error).message}`, cause)
  }
  const module = { api, users: 0, isInitialised: true }
  loaded.set(path, module)
  return module
}

function initialise(api: Pkcs11Api): void {
  try {
    api.C_Initialize()
  } catch (error) {
    if ((error as { code?: unknown }).code !== alreadyInitialised) throw error
  }
}

async function pkcs11js(): Promise<Pkcs11js> {
  try {
    const { default: module } = (await import(packageName)) as { default: Pkcs11js }
    return module
  } catch (cause) {
    throw unusable('the package pkcs11js is not installed, or could not be compiled', cause)
  }
}

function unusable(message: string, cause: unknown): UserError {
  return new UserError(
    'pkcs11-module',
    message,
    'name the vendor’s module with --pkcs11-module; npm install pkcs11js (in a clone: npm ci) compiles it, with python3, make and g++',
    { exitStatus: exitStatus.sealed, cause },
  )
}
