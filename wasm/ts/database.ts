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
  /** The last attempt to open; attempts follow each other. */
  #attempt: Promise<unknown> = Promise.resolve();

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

  /** Opens a database from its log; resolves when it runs, is refused, or has to be retried. */
  static async opened(name: string, store: Store, around: Surroundings): Promise<Database> {
    const database = new Database(name, Promise.resolve(store), around);
    await database.#start();
    return database;
  }

  /** The engine that is open now. */
  get engine(): number {
    return this.#engine;
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

  /** Called by everyone who met the failure; the first one acts. */
  #recoverFrom(pump: Pump): void {
    if (pump !== this.#pump || this.#stopped) return;
    this.#pump = undefined;
    void this.#retry(pump.lastFault);
  }

  /** Opens; if that fails, goes on trying in the background. */
  async #start(): Promise<void> {
    this.#holdPlace();
    const failure = await this.#open();
    if (failure !== undefined) void this.#retry(failure);
  }

  async #retry(failure: unknown): Promise<void> {
    for (let delay = 0; failure !== undefined; delay = Math.min(2 * delay + 50, REOPEN_DELAY_MS_MAX)) {
      this.#around.report(`database ${this.name}: opening from the log again: ${String(failure)}`);
      await new Promise((resolve) => setTimeout(resolve, delay));
      if (this.#stopped) return;
      failure = await this.#open();
    }
  }

  /**
   * An engine whose reads are never answered: until the listing is there, requests are told that
   * the database is being opened, and not that there is none.
   */
  #holdPlace(): void {
    const unread = BigUint64Array.of(1n, 1n);
    this.#engine = this.#around.face.open(this.name, new Uint8Array(16), unread);
  }

  /** Tries once, after all attempts before; resolves to what stands in the way, if anything. */
  #open(): Promise<unknown> {
    const attempt = async () => {
      try {
        return await this.#openOnce();
      } catch (error) {
        return error;
      }
    };
    this.#attempt = this.#attempt.then(attempt);
    return this.#attempt;
  }

  async #openOnce(): Promise<unknown> {
    const store = await this.store;
    const segments = (await store.segments()).sort((a, b) => (a.id < b.id ? -1 : 1));
    if (this.#stopped) return undefined;
    const { face, report } = this.#around;
    const listing = segments.flatMap(({ id, length }) => [id, BigInt(length)]);
    this.#drive(face.open(this.name, store.nodeId, BigUint64Array.from(listing)));
    const pump = this.#pump;
    await pump?.run();
    if (this.#stopped || pump !== this.#pump) return undefined;
    if (pump?.ended) {
      this.#pump = undefined;
      return pump.lastFault ?? "storage failed";
    }
    const notice = face.notice(this.#engine);
    if (notice) report(`database ${this.name}: ${notice}`);
    return undefined;
  }
}
