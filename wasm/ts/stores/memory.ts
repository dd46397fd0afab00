/** A store in memory: for tests, and as the announced last resort of a browser. */

import { StorageError, type Segment, type Store, type Stores } from "../types.js";

/** Databases in memory. What is kept survives `close` and `open`, not the process. */
export class MemoryStores implements Stores {
  readonly ack = "memory";
  readonly #stores = new Map<string, MemoryStore>();
  readonly #bytesMax: number;

  /** `bytesMax`: what one database may hold before it answers "no space". */
  constructor(bytesMax = Number.POSITIVE_INFINITY) {
    this.#bytesMax = bytesMax;
  }

  async list(): Promise<string[]> {
    return [...this.#stores.keys()];
  }

  async create(database: string, nodeId: Uint8Array): Promise<Store> {
    if (this.#stores.has(database)) {
      throw new StorageError("fenced", `a store of database ${database} exists already`);
    }
    const store = new MemoryStore(nodeId, this.#bytesMax);
    this.#stores.set(database, store);
    return store;
  }

  async open(database: string): Promise<Store> {
    const store = this.#stores.get(database);
    if (store === undefined) {
      throw new StorageError("unreadable", `there is no store of database ${database}`);
    }
    return store;
  }

  async drop(database: string): Promise<void> {
    this.#stores.delete(database);
  }

  async close(): Promise<void> {}
}

/** One database in memory. */
export class MemoryStore implements Store {
  readonly nodeId: Uint8Array;
  readonly #bytesMax: number;
  readonly #segments = new Map<bigint, Uint8Array>();

  constructor(nodeId: Uint8Array, bytesMax: number) {
    this.nodeId = nodeId;
    this.#bytesMax = bytesMax;
  }

  async segments(): Promise<Segment[]> {
    return [...this.#segments].map(([id, bytes]) => ({ id, length: bytes.length }));
  }

  async persist(segment: bigint, offset: number, bytes: Uint8Array): Promise<void> {
    const old = this.#segments.get(segment);
    if (offset === 0) {
      if (old !== undefined) throw new StorageError("fenced", `segment ${segment} exists already`);
      this.#reserve(bytes.length);
      this.#segments.set(segment, bytes.slice());
      return;
    }
    if (old === undefined) throw new StorageError("io", `there is no segment ${segment}`);
    const end = offset + bytes.length;
    this.#reserve(Math.max(0, end - old.length));
    this.#segments.set(segment, overlaid(old, offset, bytes));
  }

  async read(segment: bigint, offset: number, length: number): Promise<Uint8Array> {
    const bytes = this.#segments.get(segment);
    if (bytes === undefined) throw new StorageError("io", `there is no segment ${segment}`);
    return bytes.slice(offset, offset + length);
  }

  async delete(segment: bigint): Promise<void> {
    this.#segments.delete(segment);
  }

  async quarantine(): Promise<void> {}

  async close(): Promise<void> {}

  #reserve(bytes: number): void {
    let held = bytes;
    for (const segment of this.#segments.values()) held += segment.length;
    if (held > this.#bytesMax) {
      throw new StorageError("no-space", `the memory store is limited to ${this.#bytesMax} bytes`);
    }
  }
}

function overlaid(old: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const fits = offset + bytes.length <= old.length;
  const grown = fits ? old : new Uint8Array(offset + bytes.length);
  if (!fits) grown.set(old);
  grown.set(bytes, offset);
  return grown;
}
