/** A store in memory: for tests, and as the announced last resort of a browser. */

import { StorageError, type FileId, type FileInfo, type Store, type Stores } from "../types.js";

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
  readonly #files = new Map<string, Kept>();
  /** Blobs that are not whole. */
  readonly #parts = new Map<string, Kept>();

  constructor(nodeId: Uint8Array, bytesMax: number) {
    this.nodeId = nodeId;
    this.#bytesMax = bytesMax;
  }

  async files(): Promise<FileInfo[]> {
    this.#parts.clear();
    return [...this.#files.values()].map(({ file, length }) => ({ file, length }));
  }

  async persist(segment: bigint, offset: number, bytes: Uint8Array): Promise<void> {
    const file: FileId = { kind: "segment", id: segment };
    const old = this.#files.get(nameOf(file));
    if (offset === 0) {
      if (old !== undefined) throw new StorageError("fenced", `${nameOf(file)} exists already`);
    } else if (old === undefined) {
      throw new StorageError("io", `there is no ${nameOf(file)}`);
    }
    this.#write(this.#files, file, offset, bytes);
  }

  async put(blob: bigint, offset: number, bytes: Uint8Array, isLast: boolean): Promise<void> {
    const file: FileId = { kind: "blob", id: blob };
    const whole = this.#write(this.#parts, file, offset, bytes);
    if (!isLast) return;
    this.#parts.delete(nameOf(file));
    this.#files.set(nameOf(file), whole);
  }

  async read(file: FileId, offset: number, length: number): Promise<Uint8Array> {
    const kept = this.#files.get(nameOf(file));
    if (kept === undefined) throw new StorageError("io", `there is no ${nameOf(file)}`);
    return kept.slice(offset, offset + length);
  }

  async delete(file: FileId): Promise<void> {
    this.#files.delete(nameOf(file));
    this.#parts.delete(nameOf(file));
  }

  async quarantine(): Promise<void> {}

  async close(): Promise<void> {}

  #write(files: Map<string, Kept>, file: FileId, offset: number, bytes: Uint8Array): Kept {
    const kept = files.get(nameOf(file)) ?? new Kept(file);
    let held = Math.max(0, offset + bytes.length - kept.length);
    for (const { length } of [...this.#files.values(), ...this.#parts.values()]) held += length;
    if (held > this.#bytesMax) {
      throw new StorageError("no-space", `the memory store is limited to ${this.#bytesMax} bytes`);
    }
    kept.write(offset, bytes);
    files.set(nameOf(file), kept);
    return kept;
  }
}

/** The bytes of a file, in room that doubles: files grow by many small writes. */
class Kept {
  readonly file: FileId;
  length = 0;
  #room = new Uint8Array(0);

  constructor(file: FileId) {
    this.file = file;
  }

  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end > this.#room.length) {
      const room = new Uint8Array(Math.max(end, 2 * this.#room.length));
      room.set(this.#room.subarray(0, this.length));
      this.#room = room;
    }
    this.#room.set(bytes, offset);
    this.length = Math.max(this.length, end);
  }

  slice(start: number, end: number): Uint8Array {
    return this.#room.slice(Math.min(start, this.length), Math.min(end, this.length));
  }
}

function nameOf({ kind, id }: FileId): string {
  return `${kind} ${id}`;
}
