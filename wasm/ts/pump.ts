/**
 * The loop between one engine and its store: the awaiting twin of the core's `storage::drive`.
 *
 * One effect at a time is performed. What is written meanwhile waits in the engine and goes out
 * as one persist: group commit needs no timer. Parts of a snapshot have a lane of their own, so
 * that neither holds the other up.
 */

import { decodeEffect, faultCode, type Effect } from "./effect.js";
import { StorageError, type Phase, type Store } from "./types.js";

/** The part of an engine that a pump needs. */
export interface Driven {
  phase(): Phase;
  poll(): Uint8Array | undefined;
  effectBytes(id: bigint): Uint8Array;
  complete(id: bigint, fault: number): void;
  supply(id: bigint, fault: number, bytes: Uint8Array): void;
  durable(): bigint;
}

/** Thrown to those who wait for a ticket when it can no longer become durable. */
export class NotDurableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NotDurableError";
  }
}

/** What is to be said of effects whose failure costs no point. */
const HARMLESS: { [kind in Effect["kind"]]?: string } = {
  put: "a snapshot could not be written, the log stays as it is",
  delete: "a file that is of no use any more could not be deleted",
  quarantine: "a copy of what is damaged could not be made",
};

interface Waiter {
  ticket: bigint;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Drives one engine over one store. */
export class Pump {
  readonly #engine: Driven;
  readonly #store: Promise<Store>;
  #waiters: Waiter[] = [];
  #current: Promise<void> = Promise.resolve();
  #draining = false;
  /** Polled while there was a persist to be performed first. */
  #ahead: Effect[] = [];
  /** The part under way. */
  #part: Promise<void> = Promise.resolve();
  readonly #report: (message: string) => void;
  #end: () => void = () => undefined;
  /** Resolves when the pump ended, for whatever reason, and is done with the store. */
  readonly whenEnded = new Promise<void>((resolve) => (this.#end = resolve));
  /** Why nothing further is performed; undefined while the pump works. */
  #ended: string | undefined;
  /** The last thing the store threw, for the operator. */
  lastFault: unknown;

  /**
   * `store` may still be in the making; effects wait for it. `report` is told of effects that
   * failed without doing harm.
   */
  constructor(
    engine: Driven,
    store: Promise<Store>,
    report: (message: string) => void = () => undefined,
  ) {
    this.#engine = engine;
    this.#store = store;
    this.#report = report;
    // Whoever makes the store hears of its failure; here it surfaces in `drain`.
    store.catch(() => undefined);
  }

  /** Whether the pump ended: stopped, or the engine or its store failed for good. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Performs effects until there are none. Call after every write; cheap while it runs. A snapshot
   * goes on behind it.
   */
  run(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      this.#current = this.#drain();
    }
    return this.#current;
  }

  /** Resolves when `ticket` is durable; rejects if the engine is poisoned or stopped first. */
  durable(ticket: bigint): Promise<void> {
    if (!this.ended && this.#engine.durable() >= ticket) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ ticket, resolve, reject });
      void this.run();
    });
  }

  /** Performs nothing further, after what is under way; who still waits is told `reason`. */
  async stop(reason: string): Promise<void> {
    this.#ended ??= reason;
    await Promise.all([this.#current, this.#part]);
    this.#rejectAll(reason);
    this.#end();
  }

  async #drain(): Promise<void> {
    try {
      const store = await this.#store;
      for (let effect = this.#next(store); effect !== undefined; effect = this.#next(store)) {
        // Under steady load there always is something to persist; what else there is to be done
        // is handed out while that is in flight.
        const ahead = effect.kind === "persist" && effect.sync ? this.#poll(store) : undefined;
        if (ahead !== undefined) this.#ahead.push(ahead);
        await this.#perform(effect, store);
        this.#release();
      }
      this.#release();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#draining = false;
    }
    if (this.#ended !== undefined) {
      this.#rejectAll(this.#ended);
      // The store is free when the part is done too.
      void this.#part.then(this.#end);
    }
  }

  #next(store: Store): Effect | undefined {
    return this.#ended === undefined ? (this.#ahead.shift() ?? this.#poll(store)) : undefined;
  }

  /** The next effect; parts are begun and passed over. */
  #poll(store: Store): Effect | undefined {
    for (let record = this.#engine.poll(); record !== undefined; record = this.#engine.poll()) {
      const effect = decodeEffect(record);
      if (effect.kind !== "put") return effect;
      this.#part = this.#putPart(effect, store);
    }
    return undefined;
  }

  /** Never rejects. */
  async #putPart(effect: Effect, store: Store): Promise<void> {
    try {
      await this.#perform(effect, store);
    } catch (error) {
      this.#fail(error);
    }
    // For the next part, and for what a snapshot leaves to be deleted.
    void this.run();
  }

  /**
   * A trap, a misuse, a store that could not be made, or a log that cannot be read at the moment.
   * Other faults are reported to the engine instead.
   */
  #fail(error: unknown): void {
    this.lastFault = error;
    this.#ended ??= "the engine or its store failed";
  }

  async #perform(effect: Effect, store: Store): Promise<void> {
    let bytes: Uint8Array = new Uint8Array();
    let fault = 0;
    try {
      bytes = await this.#ask(effect, store);
    } catch (error) {
      this.lastFault = error;
      const kind = error instanceof StorageError ? error.fault : "io";
      // Only damage is the engine's business: it goes on without these bytes. Whatever else keeps
      // them from being read now may pass, and then they are there.
      if (effect.kind === "read" && kind !== "unreadable") throw error;
      fault = faultCode(kind);
      const harmless = HARMLESS[effect.kind];
      if (harmless !== undefined) this.#report(`${harmless}: ${String(error)}`);
    }
    // Meanwhile the engine may have been dropped, and nobody is left to report to.
    if (this.#ended !== undefined) return;
    if (effect.kind === "read") this.#engine.supply(effect.id, fault, bytes);
    else this.#engine.complete(effect.id, fault);
  }

  async #ask(effect: Effect, store: Store): Promise<Uint8Array> {
    switch (effect.kind) {
      case "persist": {
        const bytes = this.#engine.effectBytes(effect.id);
        await store.persist(effect.segment, effect.offset, bytes, effect.sync);
        break;
      }
      case "put": {
        const bytes = this.#engine.effectBytes(effect.id);
        await store.put(effect.blob, effect.offset, bytes, effect.isLast);
        break;
      }
      case "read":
        return store.read(effect.file, effect.offset, effect.length);
      case "delete":
        await store.delete(effect.file);
        break;
      case "quarantine":
        await store.quarantine(effect.file, effect.offset, effect.length);
        break;
    }
    return new Uint8Array();
  }

  #release(): void {
    if (this.#ended !== undefined) return;
    if (this.#engine.phase() === "poisoned") this.#ended ??= "storage failed";
    if (this.#waiters.length === 0) return;
    const durable = this.#engine.durable();
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => waiter.ticket > durable);
    for (const waiter of waiting) if (waiter.ticket <= durable) waiter.resolve();
  }

  #rejectAll(reason: string): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      waiter.reject(new NotDurableError(reason, { cause: this.lastFault }));
    }
  }
}
