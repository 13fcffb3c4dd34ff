// What a story plays on: key servers that exist, kits to be somebody to them, and as many libraries
// and cartridges as it asks for. Everything made here is closed with the stage.

import { join } from 'node:path'

import { connect, type Client, type UserCredential } from '../src/kmip/client/client.ts'
import { Cartridge, type CartridgeSpecification } from './cartridge.ts'
import type { Dialect } from './dialects.ts'
import { realTimer } from './drive-control.ts'
import { drawRandom } from './drive-cipher.ts'
import { Relay } from './faults.ts'
import type { Kit } from './kit.ts'
import { Library, type LibraryOptions } from './library.ts'
import type { ServerAddress } from './library-servers.ts'

/** What a stage is set up with. */
export interface StageOptions {
  /** Key servers with one common keystore, best first; at least one. */
  readonly servers: readonly ServerAddress[]
  /** Enrolled libraries of one group; at least one. The first is used unless a story needs two. */
  readonly kits: readonly Kit[]
  readonly dialect: Dialect
  readonly credential?: UserCredential
  /** A directory for cartridges. */
  readonly scratch: string
}

/** What a story may want otherwise in a library. */
export interface LibraryWish extends Partial<
  Omit<LibraryOptions, 'serial' | 'kit' | 'credential'>
> {
  /** Number of the kit, from 0; counted round. */
  readonly kit?: number
}

/** One story's stage. */
export class Stage {
  readonly dialect: Dialect
  readonly servers: readonly ServerAddress[]
  /** Those made here, in the order of their making. */
  readonly libraries: Library[] = []
  readonly #options: StageOptions
  readonly #closers: (() => Promise<void>)[] = []
  #cartridges = 0

  constructor(options: StageOptions) {
    this.#options = options
    this.dialect = options.dialect
    this.servers = options.servers
  }

  /** The same stage for a story told in another dialect; to be closed by itself. */
  speaking(dialect: Dialect): Stage {
    const scratch = join(this.#options.scratch, dialect.name)
    return new Stage({ ...this.#options, dialect, scratch })
  }

  /** A library with an empty robot, enrolled as one of the kits. */
  library({ kit = 0, ...wish }: LibraryWish = {}): Library {
    const { servers, dialect, credential } = this.#options
    const library = new Library({
      serial: `KRL${randomHex(4)}`,
      servers,
      dialect,
      kit: this.#kit(kit),
      ...(credential && { credential }),
      ...wish,
    })
    this.#closers.push(() => library.close())
    this.libraries.push(library)
    library.startHeart(realTimer)
    return library
  }

  /** A blank cartridge with this label; two of the same label are two cartridges. */
  cartridge(
    barcode: string,
    specification: Partial<CartridgeSpecification> = {},
  ): Promise<Cartridge> {
    this.#cartridges += 1
    const directory = join(this.#options.scratch, `${barcode}-${this.#cartridges}`)
    const mediumSerial = `MS${randomHex(5)}`
    return Cartridge.create(directory, { mediumSerial, ...specification, barcode })
  }

  /** A directory that a copy of a cartridge can be made in. */
  get scratch(): string {
    return this.#options.scratch
  }

  /** A relay in front of key server `n`, from 0. */
  async relay(n = 0): Promise<Relay> {
    const relay = await Relay.open(this.servers[n]!)
    this.#closers.push(() => relay.close())
    return relay
  }

  /** A connection of the library's own, for what no drive asks for; to the first server unless told. */
  async client({ server = this.servers[0]! }: { server?: ServerAddress } = {}): Promise<Client> {
    const { dialect, credential } = this.#options
    const { ca, certificate, key } = this.#kit(0)
    const client = await connect({
      ...server,
      ca,
      key,
      cert: certificate,
      versions: [dialect.version],
      reconnect: { attempts: 1 },
      timeouts: { connect: dialect.patience, answer: dialect.patience },
      ...(credential && dialect.credential && { credential }),
    })
    this.#closers.push(() => client.close())
    return client
  }

  /** Closes what was made here, newest first. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }

  #kit(n: number): Kit {
    const { kits } = this.#options
    return kits[n % kits.length]!
  }
}

const randomHex = (bytes: number): string => drawRandom(bytes).toHex().toUpperCase()
