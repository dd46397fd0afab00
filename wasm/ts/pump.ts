/**
 * The loop between one engine and its store: the awaiting twin of the core's `storage::drive`.
 *
 * One effect at a time is performed. What is written meanwhile waits in the engine and goes out
 * as one persist: group commit needs no timer.
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

interface Waiter {
  ticket: bigint;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Drives one engine over one store. */
export class Pump {
  readonly #engine: Driven;
  readonly #store: Promise<Store>;
  /** Called once, in the midst of the call that ends the opening; awaited before all else. */
  #opened: (() => Promise<void>) | undefined;
  #waiters: Waiter[] = [];
  #current: Promise<void> = Promise.resolve();
  #draining = false;
  /** Why nothing further is performed; undefined while the pump works. */
  #ended: string | undefined;
  /** The last thing the store threw, for the operator. */
  lastFault: unknown;

  /** `store` may still be in the making; effects wait for it. */
  constructor(engine: Driven, store: Promise<Store>, opened?: () => Promise<void>) {
    this.#engine = engine;
    this.#opened = opened;
    this.#store = store;
    // Whoever makes the store hears of its failure; here it surfaces in `drain`.
    store.catch(() => undefined);
  }

  /** Whether the pump ended: stopped, or the engine or its store failed for good. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Performs effects until there are none. Call after every write; cheap while it runs. */
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
    await this.#current;
    this.#rejectAll(reason);
  }

  async #drain(): Promise<void> {
    try {
      const store = await this.#store;
      for (let record = this.#next(); record !== undefined; record = this.#next()) {
        const effect = decodeEffect(record);
        await this.#perform(effect, store);
        this.#release();
      }
      this.#release();
    } catch (error) {
      // A trap, a misuse, a store that could not be made, or a log that cannot be read at the
      // moment. Other faults are reported to the engine instead.
      this.lastFault = error;
      this.#ended ??= "the engine or its store failed";
    } finally {
      this.#draining = false;
    }
    if (this.#ended !== undefined) this.#rejectAll(this.#ended);
  }

  #next(): Uint8Array | undefined {
    return this.#ended === undefined ? this.#engine.poll() : undefined;
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
    }
    // Meanwhile the engine may have been dropped, and nobody is left to report to.
    if (this.#ended !== undefined) return;
    if (effect.kind !== "read") return this.#engine.complete(effect.id, fault);
    this.#engine.supply(effect.id, fault, bytes);
    if (this.#opened !== undefined && this.#engine.phase() === "running") {
      const opened = this.#opened;
      this.#opened = undefined;
      await opened();
    }
  }

  async #ask(effect: Effect, store: Store): Promise<Uint8Array> {
    switch (effect.kind) {
      case "persist": {
        const bytes = this.#engine.effectBytes(effect.id);
        await store.persist(effect.segment, effect.offset, bytes, effect.sync);
        break;
      }
      case "read":
        return store.read(effect.segment, effect.offset, effect.length);
      case "delete":
        await store.delete(effect.segment);
        break;
      case "quarantine":
        await store.quarantine(effect.segment, effect.offset, effect.length);
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
