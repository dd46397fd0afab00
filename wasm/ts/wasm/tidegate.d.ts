/** What the bindings export; the build puts them beside this file's place in `dist`. */

import type { Face } from "../face.js";
import type { Ack } from "../types.js";

/** Bindings to an instance of their own; nothing is shared between two calls. */
export function bindings(): {
  /** Instantiates the module. */
  initSync(options: { module: WebAssembly.Module }): unknown;
  /** The engines, and the decisions about requests; see `wasm/src/js`. */
  Server: {
    new (entropy: Uint8Array, ack: Ack, snapshotLogBytes?: bigint): Face & {
      configure(strict: boolean, corsOrigins: string[]): void;
    };
  };
};
