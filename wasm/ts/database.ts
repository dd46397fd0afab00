/** One database of a server: a store, and the engine that is open over it now. */

import { driven, type Face } from "./face.js";
import { Pump } from "./pump.js";
import type { Store } from "./types.js";

const REOPEN_DELAY_MS_MAX = 5_000;

/** What a database needs from its server. */
export interface Surroundings {
  face: Face;
  report: (message: string) => void;
}

/** Keeps an engine running over a store: a poisoned one is replaced from the log. */
export class Database {
  readonly name: string;
  readonly store: Promise<Store>;
  readonly #around: Surroundings;
  #engine = -1;
  #pump: Pump | undefined;
  #stopped = false;

  private constructor(name: string, store: Promise<Store>, around: Surroundings) {
    this.name = name;
    this.store = store;
    this.#around = around;
  }

  /** Takes over an engine that a request has just created; the store may be in the making. */
  static created(name: string, engine: number, store: Promise<Store>, around: Surroundings) {
    const database = new Database(name, store, around);
    database.#drive(engine);
    void database.#pump?.run();
    return database;
  }

  /** Opens a database from its log; resolves when it runs or is refused. */
  static async opened(name: string, store: Store, around: Surroundings): Promise<Database> {
    const database = new Database(name, Promise.resolve(store), around);
    await database.#open();
    if (database.#pump?.ended) database.#recoverFrom(database.#pump);
    return database;
  }

  /** The engine that is open now. */
  get engine(): number {
    return this.#engine;
  }

  /** Whether it runs and nothing was ever written to it, not even that it was created. */
  get isBlank(): boolean {
    const { face } = this.#around;
    return face.phase(this.#engine) === "running" && face.durable(this.#engine) === 0n;
  }

  /** Resolves when the ticket, given out by the present engine, is durable. */
  async durable(ticket: bigint): Promise<void> {
    const pump = this.#pump;
    if (pump === undefined) throw new Error(`database ${this.name} is not open`);
    try {
      await pump.durable(ticket);
    } catch (error) {
      this.#recoverFrom(pump);
      throw error;
    }
  }

  /** Performs what effects a request has left behind; nobody waits for them. */
  async settle(): Promise<void> {
    const pump = this.#pump;
    await pump?.run();
    if (pump?.ended) this.#recoverFrom(pump);
  }

  /** Ends the engine and lets go of the store; who still waits is told `reason`. */
  async stop(reason: string): Promise<void> {
    this.#stopped = true;
    await this.#pump?.stop(reason);
    await this.store.then((store) => store.close()).catch(() => undefined);
  }

  #drive(engine: number): void {
    this.#engine = engine;
    this.#pump = new Pump(driven(this.#around.face, engine), this.store);
  }

  async #open(): Promise<void> {
    const store = await this.store;
    const segments = (await store.segments()).sort((a, b) => (a.id < b.id ? -1 : 1));
    if (this.#stopped) return;
    const { face, report } = this.#around;
    const listing = segments.flatMap(({ id, length }) => [id, BigInt(length)]);
    this.#drive(face.open(this.name, store.nodeId, BigUint64Array.from(listing)));
    await this.#pump?.run();
    const notice = this.#stopped ? undefined : face.notice(this.#engine);
    if (notice) report(`database ${this.name}: ${notice}`);
  }

  /** Called by everyone who met the failure; the first one acts. */
  #recoverFrom(pump: Pump): void {
    if (pump !== this.#pump || this.#stopped) return;
    this.#pump = undefined;
    void this.#reopen(pump.lastFault);
  }

  async #reopen(fault: unknown): Promise<void> {
    const { face, report } = this.#around;
    for (let delay = 0; !this.#stopped; delay = Math.min(2 * delay + 50, REOPEN_DELAY_MS_MAX)) {
      report(`database ${this.name}: storage failed, reopening from the log: ${String(fault)}`);
      await new Promise((resolve) => setTimeout(resolve, delay));
      try {
        await this.#open();
        if (this.#stopped || face.phase(this.#engine) !== "poisoned") return;
        fault = this.#pump?.lastFault;
      } catch (error) {
        fault = error;
      }
    }
  }
}
