/** The public types: what a host supplies, and what it gets back. */

/** Why storage could not do what it was asked; the names of the core's `StorageFault`. */
export type Fault = "no-space" | "fenced" | "unreadable" | "io";

/** What a store throws when it knows why; anything else that is thrown counts as `io`. */
export class StorageError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StorageError";
    this.fault = fault;
  }
}

/** What names a file of a database: a segment of its log, or a blob. Each kind counts by itself. */
export interface FileId {
  readonly kind: "segment" | "blob";
  readonly id: bigint;
}

/** A file as a store lists it; `length` in bytes. */
export interface FileInfo {
  file: FileId;
  length: number;
}

/**
 * Where one database keeps its files. Calls on one store never overlap, but for a `put`, beside
 * which others run that are not about its blob. `bytes` belongs to the store: it does not change
 * afterwards.
 */
export interface Store {
  /** Sixteen random bytes, drawn when the database was created; they tell its log from others'. */
  readonly nodeId: Uint8Array;
  /**
   * All files, in any order. Parts of a blob that is not whole are none, and may be removed: this
   * is called while nothing is written.
   */
  files(): Promise<FileInfo[]>;
  /**
   * Puts bytes at an offset. Offset 0 creates the segment, exclusively, name included. With
   * `sync`, resolving means: they survive a loss of power, as far as this store can promise.
   */
  persist(segment: bigint, offset: number, bytes: Uint8Array, sync: boolean): Promise<void>;
  /**
   * Puts a part of a blob at an offset. With `isLast` the blob is whole: it gets its name, in place
   * of an older blob that bears it, and resolving means what it means for `persist` with `sync`.
   * Until then, and after a crash before that, it is not there. Parts come one blob at a time, the
   * one at offset 0 last; after one that failed, the blob is deleted.
   */
  put(blob: bigint, offset: number, bytes: Uint8Array, isLast: boolean): Promise<void>;
  /**
   * Bytes of a file; fewer than `length` only where it ends. The fault `unreadable` says that
   * the medium has lost them: the engine reports damage and goes on. After any other fault the
   * database is opened again, later.
   */
  read(file: FileId, offset: number, length: number): Promise<Uint8Array>;
  /**
   * Removes a file, durably; of a blob also what there is of it if it is not whole. Removing what
   * is not there is success.
   */
  delete(file: FileId): Promise<void>;
  /** Keeps a copy of a damaged range for a person to look at; the file stays as it is. */
  quarantine(file: FileId, offset: number, length: number): Promise<void>;
  /** Keeps a report of what opening found, as JSON, in place of an older one. */
  report?(json: string): Promise<void>;
  /** Lets go of handles. The files stay. */
  close(): Promise<void>;
}

/** What a write may ask for; each level includes those before. */
export type AckLevel = "memory" | "wal" | "durable";

/** What an acknowledged write survives: a loss of power, or only this process's good health. */
export type Ack = "durable" | "memory";

/** Where the databases of a server live. It has one owner at a time. */
export interface Stores {
  /** What survives once `persist` resolves; clients read it in `X-Tidegate-Ack`. */
  readonly ack: Ack;
  /** Names of all databases, in the order of their creation. */
  list(): Promise<string[]>;
  /** Makes a store; once it resolves, `list` names it even after a loss of power. */
  create(database: string, nodeId: Uint8Array): Promise<Store>;
  /** Opens a store that exists. */
  open(database: string): Promise<Store>;
  /** Removes a store, durably. */
  drop(database: string): Promise<void>;
  /** Gives up ownership. */
  close(): Promise<void>;
}

/** Where an engine is in its life. */
export type Phase = "opening" | "running" | "poisoned" | "refused";

/** A request as any HTTP server has it. */
export interface ServerRequest {
  method: string;
  /** Path and query, or a whole URL. */
  url: string;
  headers: Iterable<readonly [string, string]>;
  /** As it came: still compressed if the headers say so. */
  body: Uint8Array;
}

/** An answer as any HTTP server sends it. */
export interface ServerAnswer {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
}

/** What to open a server with; everything has a default. */
export interface ServerOptions {
  /** The clock, in nanoseconds since the epoch. */
  nowNs?: () => bigint;
  /** Fills with random bytes. */
  random?: (bytes: Uint8Array) => void;
  /**
   * Log bytes after which a database writes a snapshot of its points and deletes the log before
   * it; what opening has to read is bounded so. 64 MiB unless told.
   */
  snapshotLogBytes?: number;
  /**
   * Whether writes are read strictly that do not say `strict=false`: CRLF is taken, and what is
   * certainly a mistake is refused. False unless told.
   */
  strict?: boolean;
  /** Origins of pages that may send requests from a browser; `["*"]`, all, unless told. */
  corsOrigins?: string[];
  /** Told about what an operator wants to know: recoveries with damage, storage that failed. */
  report?: (message: string) => void;
}
