/** What the wasm face looks like from here; `dist/wasm/tidegate.js` provides it. */

import type { Driven } from "./pump.js";
import type { Phase, ServerAnswer } from "./types.js";

/** A database that a request created or dropped, in the order of the request. */
export interface Change {
  kind: "created" | "dropped";
  database: string;
  engine: number;
  nodeId: Uint8Array;
}

/** An answer, and what must have happened before it may be sent. */
export interface Handled extends ServerAnswer {
  tickets: { engine: number; lsn: bigint }[];
  changes: Change[];
  /** What to send instead if a ticket or a change cannot be made durable. */
  otherwise: ServerAnswer;
}

/** The face of the module. An engine is known by a number that is never given out again. */
export interface Face {
  handle(
    method: string,
    url: string,
    headers: string[],
    body: Uint8Array,
    nowNs: bigint,
    requestId: string,
  ): Handled;
  /** `listing`: as `encodeListing` has it. Replaces an engine of the same name. */
  open(database: string, nodeId: Uint8Array, listing: BigUint64Array): number;
  release(engine: number): void;
  phase(engine: number): Phase;
  /** What opening found that an operator should know: a refusal, damage. */
  notice(engine: number): string | undefined;
  poll(engine: number): Uint8Array | undefined;
  effectBytes(engine: number, id: bigint): Uint8Array;
  complete(engine: number, id: bigint, fault: number): void;
  supply(engine: number, id: bigint, fault: number, bytes: Uint8Array): void;
  durable(engine: number): bigint;
}

/** One engine of the face, as a pump sees it. */
export function driven(face: Face, engine: number): Driven {
  return {
    phase: () => face.phase(engine),
    poll: () => face.poll(engine),
    effectBytes: (id) => face.effectBytes(engine, id),
    complete: (id, fault) => face.complete(engine, id, fault),
    supply: (id, fault, bytes) => face.supply(engine, id, fault, bytes),
    durable: () => face.durable(engine),
  };
}
