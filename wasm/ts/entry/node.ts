/** Tidegate for Node, Deno and Bun: the engine's bytes are read from the package. */

import { readFile } from "node:fs/promises";

import { FileStores } from "../stores/file.js";
import { Tidegate } from "../tidegate.js";
import type { ServerOptions, Stores } from "../types.js";

export * from "../index.js";
export { FileStores };

/** Opens a server over `stores`, or over files in the directory of that name. */
export async function open(
  stores: Stores | string,
  options: ServerOptions = {},
): Promise<Tidegate> {
  const bytes = await readFile(new URL("../wasm/tidegate_bg.wasm", import.meta.url));
  const where = typeof stores === "string" ? await FileStores.take(stores) : stores;
  return Tidegate.open(bytes, where, options);
}
