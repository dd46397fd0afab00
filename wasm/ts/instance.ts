/**
 * One instance of the module. A trap leaves its memory as it was in the midst of a call, so from
 * then on nothing calls into it again: the server makes another one.
 */

import type { Face } from "./face.js";
import type { Ack, ServerOptions } from "./types.js";
import { bindings } from "./wasm/tidegate.js";

/** Thrown by the call that trapped. */
export class TrapError extends Error {
  constructor(cause: unknown) {
    super(`the engine trapped: ${String(cause)}`, { cause });
    this.name = "TrapError";
  }
}

/** Thrown by all calls after the one that trapped. */
export class GoneError extends Error {
  constructor() {
    super("the engine trapped before, in another call");
    this.name = "GoneError";
  }
}

/**
 * Makes an instance. `trapped` is told once, before the call that trapped throws; the rest is as
 * in `ServerOptions` and `Stores`.
 */
export function instantiate(
  module: WebAssembly.Module,
  entropy: Uint8Array,
  ack: Ack,
  { snapshotLogBytes, strict, corsOrigins }: ServerOptions,
  trapped: (trap: TrapError) => void,
): Face {
  const { initSync, Server } = bindings();
  initSync({ module });
  const bytes = snapshotLogBytes === undefined ? undefined : BigInt(snapshotLogBytes);
  const face = new Server(entropy, ack, bytes);
  face.configure(strict ?? false, corsOrigins ?? ["*"]);
  let isGone = false;
  const guarded = <T extends unknown[], R>(act: (...rest: T) => R) => {
    return (...rest: T): R => {
      if (isGone) throw new GoneError();
      try {
        return act.apply(face, rest);
      } catch (error) {
        if (!isTrap(error)) throw error;
        isGone = true;
        const trap = new TrapError(error);
        trapped(trap);
        throw trap;
      }
    };
  };
  const release = guarded(face.release);
  return {
    handle: guarded(face.handle),
    open: guarded(face.open),
    // Nothing is left to be released.
    release: (engine) => (isGone ? undefined : release(engine)),
    phase: guarded(face.phase),
    notice: guarded(face.notice),
    recovery: guarded(face.recovery),
    poll: guarded(face.poll),
    effectBytes: guarded(face.effectBytes),
    complete: guarded(face.complete),
    supply: guarded(face.supply),
    durable: guarded(face.durable),
  };
}

/** Errors that the engine returns are plain ones. A stack that is full has its own in each host. */
function isTrap(error: unknown): boolean {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return true;
  return error instanceof Error && error.name === "InternalError";
}
