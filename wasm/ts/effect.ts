/** Effects: what the core asks of a host, read from the record that crosses the boundary. */

import type { Fault, FileId, FileInfo } from "./types.js";

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
  | {
      kind: "put";
      id: bigint;
      blob: bigint;
      offset: number;
      length: number;
      isLast: boolean;
    }
  | { kind: "read"; id: bigint; file: FileId; offset: number; length: number }
  | { kind: "delete"; id: bigint; file: FileId }
  | { kind: "quarantine"; id: bigint; file: FileId; offset: number; length: number };

/** The numbers of kinds of files that cross the boundary. */
const FILE_KINDS = { segment: 1, blob: 2 } as const;

/** Reads the record that `poll` returns; the core documents its layout in `engine/record.rs`. */
export function decodeEffect(record: Uint8Array): Effect {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const number = (index: number): bigint => view.getBigUint64(8 + index * 8, true);
  const [kind, flag] = [view.getUint8(0), view.getUint8(1) !== 0];
  const id = number(0);
  const file = fileOf(view.getUint8(2), number(1));
  const [offset, length] = [Number(number(2)), Number(number(3))];
  switch (kind) {
    case 1: {
      const upTo = number(4);
      return { kind: "persist", id, segment: file.id, offset, length, upTo, sync: flag };
    }
    case 2:
      return { kind: "read", id, file, offset, length };
    case 3:
      return { kind: "delete", id, file };
    case 4:
      return { kind: "quarantine", id, file, offset, length };
    case 5:
      return { kind: "put", id, blob: file.id, offset, length, isLast: flag };
    default:
      throw new Error(`effect kind ${kind} is not known to this version of tidegate`);
  }
}

/** A listing in the form that crosses the boundary: kind, number and length of each file. */
export function encodeListing(files: FileInfo[]): BigUint64Array {
  const numbers = files.map(({ file, length }) => {
    return [BigInt(FILE_KINDS[file.kind]), file.id, BigInt(length)];
  });
  return BigUint64Array.from(numbers.flat());
}

function fileOf(kind: number, id: bigint): FileId {
  if (kind === FILE_KINDS.segment) return { kind: "segment", id };
  if (kind === FILE_KINDS.blob) return { kind: "blob", id };
  throw new Error(`file kind ${kind} is not known to this version of tidegate`);
}

/** The code that crosses the boundary; 0 is success. */
export function faultCode(fault: Fault): number {
  return { "no-space": 1, fenced: 2, unreadable: 3, io: 4 }[fault];
}
