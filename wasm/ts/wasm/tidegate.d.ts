/** What the generated bindings export; the build puts them beside this file's place in `dist`. */

import type { Face } from "../face.js";
import type { Ack } from "../types.js";

/** Instantiates the module, once for all servers of this process. */
export function initSync(options: { module: WebAssembly.Module | BufferSource }): unknown;

/** The engines, and the decisions about requests; see `wasm/src/js`. */
export const Server: { new (entropy: Uint8Array, ack: Ack): Face };
