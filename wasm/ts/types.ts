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

/** A segment of the log as a store lists it; `length` in bytes. */
export interface Segment {
  id: bigint;
  length: number;
}

/**
 * Where one database keeps its log. Calls on one store never overlap, and `bytes` belongs to the
 * store: it does not change afterwards.
 */
export interface Store {
  /** Sixteen random bytes, drawn when the database was created; they tell its log from others'. */
  readonly nodeId: Uint8Array;
  /** All segments, in any order. */
  segments(): Promise<Segment[]>;
  /**
   * Puts bytes at an offset. Offset 0 creates the segment, exclusively, name included. With
   * `sync`, resolving means: they survive a loss of power, as far as this store can promise.
   */
  persist(segment: bigint, offset: number, bytes: Uint8Array, sync: boolean): Promise<void>;
  /**
   * Bytes of a segment; fewer than `length` only where it ends. The fault `unreadable` says that
   * the medium has lost them: the engine reports damage and goes on. After any other fault the
   * database is opened again, later.
   */
  read(segment: bigint, offset: number, length: number): Promise<Uint8Array>;
  /** Removes a segment, durably. Removing what is not there is success. */
  delete(segment: bigint): Promise<void>;
  /** Keeps a copy of a damaged range for a person to look at; the segment stays as it is. */
  quarantine(segment: bigint, offset: number, length: number): Promise<void>;
  /** Keeps a report of what opening found, as JSON, in place of an older one. */
  report?(json: string): Promise<void>;
  /** Lets go of handles. The log stays. */
  close(): Promise<void>;
}

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
  /** Told about what an operator wants to know: recoveries with damage, storage that failed. */
  report?: (message: string) => void;
}
