// A tape library: a robot, drives in partitions, and the controller that brings their keys from key
// servers. The hosts' data never passes through it.

import type { UserCredential } from '../src/kmip/client/client.ts'
import type { Cartridge } from './cartridge.ts'
import type { RandomBytes } from './drive-cipher.ts'
import type { StartTimer } from './drive-control.ts'
import { Drive } from './drive.ts'
import { SimulatorError } from './errors.ts'
import type { DriveGeneration } from './generations.ts'
import type { Kit } from './kit.ts'
import {
  KeyController,
  type ControllerOptions,
  type EncryptionMethod,
} from './library-controller.ts'
import { Journal, type LibraryEvent } from './library-events.ts'
import { ServerList, type ServerAddress } from './library-servers.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { Robot, type LibraryModel } from './robot.ts'
import type { SenseProfile } from './sense.ts'

/** A logical library: the drives that one host sees. */
export interface PartitionOptions {
  readonly name: string
  readonly method: EncryptionMethod
  readonly drives: readonly DriveGeneration[]
}

/** What a library is made of, and whom it asks for keys. */
export interface LibraryOptions extends Omit<ControllerOptions, 'librarySerial'> {
  readonly serial: string
  readonly servers: readonly ServerAddress[]
  readonly kit: Kit
  readonly credential?: UserCredential
  /** One partition under library-managed encryption with LTO-8 drives unless given. */
  readonly partitions?: readonly PartitionOptions[]
  readonly model?: LibraryModel
  /** 24 unless given. */
  readonly storageSlots?: number
  readonly senses?: SenseProfile
  /** Where the drives' random bytes come from. */
  readonly random?: RandomBytes
  readonly onEvent?: (event: LibraryEvent) => void
}

/** Close it when done: it holds connections. */
export class Library {
  readonly serial: string
  readonly robot: Robot
  readonly drives: readonly Drive[]
  readonly servers: ServerList
  readonly journal: Journal
  readonly #options: LibraryOptions
  readonly #partitions: ReadonlyMap<string, readonly Drive[]>
  readonly #controller: KeyController
  /** A free slot is found and filled before another is looked for. */
  readonly #inTurn = oneAtATime()
  #stopHeart: (() => void) | undefined

  /** Throws SimulatorError for a server list, credential or layout that cannot be. */
  constructor(options: LibraryOptions) {
    const { serial, dialect, kit, credential } = options
    if (dialect.credential && credential === undefined) {
      throw new SimulatorError('credential', `${dialect.name} wants a user name and a password`)
    }
    this.#options = options
    this.serial = serial
    this.journal = new Journal(options.onEvent)
    this.servers = new ServerList({
      servers: options.servers,
      kit,
      dialect,
      ...(dialect.credential && credential !== undefined && { credential }),
      onFailover: (failover) => this.journal.write({ kind: 'failover', ...failover }),
    })
    this.#controller = new KeyController(
      { ...options, librarySerial: serial },
      {
        servers: this.servers,
        journal: this.journal,
        barcodeIn: (drive) =>
          this.robot.inventory().find(({ driveSerial }) => driveSerial === drive)?.barcode,
      },
    )
    this.#partitions = this.#build(options.partitions ?? usualPartitions(dialect.drives))
    this.drives = [...this.#partitions.values()].flat()
    this.robot = new Robot({
      model: options.model ?? 'generic',
      storageSlots: options.storageSlots ?? 24,
      mailSlots: 2,
      drives: this.drives,
      barcodeReporting: dialect.barcodeReporting,
    })
  }

  /** Drive `n` of the library, from 0; throws SimulatorError 'no-such-drive'. */
  drive(n: number): Drive {
    const drive = this.drives[n]
    if (drive !== undefined) return drive
    throw new SimulatorError('no-such-drive', `library ${this.serial} has no drive ${n}`)
  }

  /** Changes who brings keys to a partition's drives, which must be empty. */
  setMethod(partition: string, method: EncryptionMethod): void {
    const drives = this.#partitions.get(partition)
    if (drives === undefined) {
      const message = `library ${this.serial} has no partition ${partition}`
      throw new SimulatorError('library-layout', message)
    }
    for (const drive of drives) {
      drive.setControl(this.#controller.controlOf(drive.serial, method))
    }
  }

  /** An operator brings cartridges: through a mail slot into free storage slots. */
  async insert(...cartridges: readonly Cartridge[]): Promise<void> {
    for (const cartridge of cartridges) {
      await this.#inTurn(() => this.robot.move(this.robot.insert(cartridge), this.#free('storage')))
    }
  }

  /** An operator takes a cartridge away, wherever it is. */
  eject(cartridge: Cartridge): Promise<void> {
    return this.#inTurn(async () => {
      const mail = this.#free('mail')
      await this.robot.move(this.#addressOf(cartridge), mail)
      this.robot.remove(mail)
    })
  }

  /** The robot loads a cartridge into drive `n`. */
  mount(cartridge: Cartridge, n: number): Promise<Drive> {
    return this.#inTurn(async () => {
      const drive = this.drive(n)
      await this.robot.move(this.#addressOf(cartridge), this.#addressOfDrive(drive))
      return drive
    })
  }

  /** The robot puts the cartridge of drive `n` into a free slot. */
  dismount(n: number): Promise<void> {
    return this.#inTurn(() =>
      this.robot.move(this.#addressOfDrive(this.drive(n)), this.#free('storage')),
    )
  }

  /**
   * Starts asking every so often whether the key server is there, where the dialect does so; on
   * other timers than before when it does already. Stops with `close`.
   */
  startHeart(startTimer: StartTimer): void {
    this.#stopHeart?.()
    const { heartbeat } = this.#options.dialect
    if (heartbeat === undefined) return
    const arm = () => {
      this.#stopHeart = startTimer(heartbeat * 1000, () => {
        arm()
        void this.heartbeat()
      })
    }
    arm()
  }

  /** One Query, only to hear whether the key server is there; what came of it is in the journal. */
  async heartbeat(): Promise<void> {
    try {
      await this.servers.ask(async (client, { server }) => {
        await client.call('Query', { QueryFunction: ['QueryOperations'] })
        this.journal.write({ kind: 'heartbeat-answered', server })
      })
    } catch (error) {
      const why = error instanceof Error ? error : new Error(String(error))
      this.journal.write({ kind: 'heartbeat-missed', why })
    }
  }

  /** Switches the library off: connections are closed, cartridges lie in drives unloaded. */
  async close(): Promise<void> {
    this.#stopHeart?.()
    await this.servers.close()
    for (const drive of this.drives) {
      if (drive.cartridge !== undefined) await drive.unload()
    }
  }

  #build(partitions: readonly PartitionOptions[]): Map<string, readonly Drive[]> {
    const { senses, random } = this.#options
    let made = 0
    const build = (generation: DriveGeneration, method: EncryptionMethod) => {
      made += 1
      const serial = `${this.serial}D${String(made).padStart(2, '0')}`
      return new Drive({
        generation,
        serial,
        control: this.#controller.controlOf(serial, method),
        ...(senses && { senses }),
        ...(random && { random }),
      })
    }
    return new Map(
      partitions.map(({ name, method, drives }) => [
        name,
        drives.map((generation) => build(generation, method)),
      ]),
    )
  }

  #addressOfDrive(drive: Drive): number {
    const found = this.robot.addresses('drive').find((at) => this.robot.driveAt(at) === drive)
    if (found !== undefined) return found
    throw new SimulatorError('no-such-drive', `drive ${drive.serial} is not in ${this.serial}`)
  }

  #addressOf(cartridge: Cartridge): number {
    const found = this.robot
      .inventory()
      .find(({ address }) => this.robot.cartridgeAt(address) === cartridge)
    if (found !== undefined) return found.address
    const message = `cartridge ${cartridge.barcode} is not in library ${this.serial}`
    throw new SimulatorError('no-such-cartridge', message)
  }

  #free(kind: 'mail' | 'storage'): number {
    const [first] = this.robot
      .addresses(kind)
      .filter((at) => this.robot.cartridgeAt(at) === undefined)
    if (first !== undefined) return first
    const message = `every ${kind} slot of library ${this.serial} is full`
    throw new SimulatorError('library-layout', message)
  }
}

const usualPartitions = (drives: number): PartitionOptions[] => [
  { name: 'production', method: 'library', drives: Array<DriveGeneration>(drives).fill(8) },
]
