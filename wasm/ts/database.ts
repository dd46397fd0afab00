/** One database of a server: a store, and the engine that is open over it now. */

import { encodeListing } from "./effect.js";
import { driven, type Face } from "./face.js";
import { TrapError } from "./instance.js";
import { Pump } from "./pump.js";
import type { Store } from "./types.js";

const REOPEN_DELAY_MS_MAX = 5_000;
/** A database that traps the engine so often without making progress is left closed. */
const TRAPS_MAX = 2;

/** What a database needs from its server. */
export interface Surroundings {
  /** The instance that serves now. */
  face: Face;
  report: (message: string) => void;
}

/** Keeps an engine running over a store: a poisoned one is replaced from the log. */
export class Database {
  readonly name: string;
  readonly store: Promise<Store>;
  readonly #around: Surroundings;
  /** Where the engine is; the surroundings may have another instance by now. */
  #face: Face;
  #engine = -1;
  #pump: Pump | undefined;
  #stopped = false;
  /** Counts instances: whatever began with an earlier one ends where it next looks. */
  #generation = 0;
  /** Traps since a write last became durable. */
  #traps = 0;
  /** The last attempt to open; attempts follow each other. */
  #attempt: Promise<unknown> = Promise.resolve();

  /** A database that is yet to be started; the store may be in the making. */
  constructor(name: string, store: Promise<Store>, around: Surroundings) {
    this.name = name;
    this.store = store;
    this.#around = around;
    this.#face = around.face;
    // Whoever makes the store hears of its failure.
    store.catch(() => undefined);
  }

  /** Takes over an engine that a request has just created. */
  static created(name: string, engine: number, store: Promise<Store>, around: Surroundings) {
    const database = new Database(name, store, around);
    const pump = database.#drive(engine);
    database.#watch(pump);
    void pump.run();
    return database;
  }

  /** The engine that is open now. */
  get engine(): number {
    return this.#engine;
  }

  /**
   * Opens the database from its log; resolves when it runs, is refused, or has to be retried,
   * which goes on in the background.
   */
  async start(): Promise<void> {
    const generation = this.#generation;
    this.#holdPlace();
    const failure = await this.#open(generation);
    if (failure !== undefined) void this.#retry(generation, failure);
  }

  /** The instance is gone: nothing further is performed, and who still waits is told `reason`. */
  detach(reason: string): void {
    const pump = this.#pump;
    this.#generation++;
    this.#pump = undefined;
    this.#engine = -1;
    const stopped = pump?.stop(reason);
    this.#attempt = this.#attempt.then(async () => {
      // The store is free again when what the pump was about is done.
      await stopped;
      if (pump?.lastFault instanceof TrapError) this.#traps++;
    });
  }

  /** Resolves when the ticket, given out by the present engine, is durable. */
  async durable(ticket: bigint): Promise<void> {
    const pump = this.#pump;
    if (pump === undefined) throw new Error(`database ${this.name} is not open`);
    await pump.durable(ticket);
    this.#traps = 0;
  }

  /** Makes durable what was accepted, then stops. A snapshot under way is given up. */
  async close(reason: string): Promise<void> {
    this.#stopped = true;
    await this.#pump?.run();
    await this.stop(reason);
  }

  /** Ends the engine and lets go of the store; who still waits is told `reason`. */
  async stop(reason: string): Promise<void> {
    this.#stopped = true;
    const stopped = this.#pump?.stop(reason);
    // At once: the name may be created again by the very next request.
    this.#face.release(this.#engine);
    await stopped;
    await this.#attempt;
    await this.store.then((store) => store.close()).catch(() => undefined);
  }

  #drive(engine: number): Pump {
    this.#face = this.#around.face;
    this.#engine = engine;
    const report = (message: string) => this.#around.report(`database ${this.name}: ${message}`);
    this.#pump = new Pump(driven(this.#face, engine), this.store, report);
    return this.#pump;
  }

  /** Replaces the engine when it fails, whether or not somebody waits for it then. */
  #watch(pump: Pump): void {
    void pump.whenEnded.then(() => {
      if (pump !== this.#pump || this.#stopped) return;
      this.#pump = undefined;
      void this.#retry(this.#generation, pump.lastFault ?? "storage failed");
    });
  }

  async #retry(generation: number, failure: unknown): Promise<void> {
    for (let delay = 0; failure !== undefined; ) {
      if (this.#isOver(generation)) return;
      this.#around.report(`database ${this.name}: opening from the log again: ${String(failure)}`);
      await new Promise((resolve) => setTimeout(resolve, delay));
      delay = Math.min(2 * delay + 50, REOPEN_DELAY_MS_MAX);
      failure = await this.#open(generation);
    }
  }

  #isOver(generation: number): boolean {
    return this.#stopped || generation !== this.#generation;
  }

  /**
   * An engine whose reads are never answered: until the listing is there, requests are told that
   * the database is being opened, and not that there is none.
   */
  #holdPlace(): void {
    const unread = encodeListing([{ file: { kind: "segment", id: 1n }, length: 1 }]);
    this.#face = this.#around.face;
    this.#engine = this.#face.open(this.name, new Uint8Array(16), unread);
  }

  /** Tries once, after all attempts before; resolves to what stands in the way, if anything. */
  #open(generation: number): Promise<unknown> {
    const attempt = async () => {
      if (this.#isOver(generation)) return undefined;
      try {
        return await this.#openOnce(generation);
      } catch (error) {
        if (error instanceof TrapError) this.#traps++;
        return error;
      }
    };
    this.#attempt = this.#attempt.then(attempt);
    return this.#attempt;
  }

  async #openOnce(generation: number): Promise<unknown> {
    const { face, report } = this.#around;
    if (this.#traps >= TRAPS_MAX) {
      report(`database ${this.name}: it traps the engine and stays closed until the next start`);
      return undefined;
    }
    const store = await this.store;
    const listing = encodeListing(await store.files());
    if (this.#isOver(generation)) return undefined;
    const pump = this.#drive(face.open(this.name, store.nodeId, listing));
    await pump.run();
    if (this.#isOver(generation) || pump !== this.#pump) return undefined;
    if (pump.ended) {
      await pump.whenEnded;
      this.#pump = undefined;
      return pump.lastFault ?? "storage failed";
    }
    const notice = face.notice(this.#engine);
    if (notice) report(`database ${this.name}: ${notice}`);
    this.#watch(pump);
    return undefined;
  }
}
