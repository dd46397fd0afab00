/** Effects: what the core asks of a host, read from the record that crosses the boundary. */

import type { Fault } from "./types.js";

/** Work for the host. The set is closed; the twin of the core's `Effect`. */
export type Effect =
  | {
      kind: "persist";
      id: bigint;
      segment: bigint;
      offset: number;
      length: number;
      upTo: bigint;
      sync: boolean;
    }
  | { kind: "read"; id: bigint; segment: bigint; offset: number; length: number }
  | { kind: "delete"; id: bigint; segment: bigint }
  | { kind: "quarantine"; id: bigint; segment: bigint; offset: number; length: number };

/** Reads the record that `poll` returns; its layout is documented in the core, `engine/record.rs`. */
export function decodeEffect(record: Uint8Array): Effect {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const number = (index: number): bigint => view.getBigUint64(8 + index * 8, true);
  const [id, segment] = [number(0), number(1)];
  const [offset, length] = [Number(number(2)), Number(number(3))];
  switch (view.getUint8(0)) {
    case 1: {
      const sync = view.getUint8(1) !== 0;
      return { kind: "persist", id, segment, offset, length, upTo: number(4), sync };
    }
    case 2:
      return { kind: "read", id, segment, offset, length };
    case 3:
      return { kind: "delete", id, segment };
    case 4:
      return { kind: "quarantine", id, segment, offset, length };
    default:
      throw new Error(`effect kind ${view.getUint8(0)} is not known to this version of tidegate`);
  }
}

/** The code that crosses the boundary; 0 is success. */
export function faultCode(fault: Fault): number {
  return { "no-space": 1, fenced: 2, unreadable: 3, io: 4 }[fault];
}
