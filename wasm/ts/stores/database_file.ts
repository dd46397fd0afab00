/** The file that says which database a directory holds. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { StorageError } from "../types.js";

/** Who a database is. */
export interface Identity {
  name: string;
  /** Little-endian, as the engine takes it; the file has it as a number in hexadecimal. */
  nodeId: Uint8Array;
}

/** Reads the identity of the database in `directory`. */
export async function identityOf(directory: string): Promise<Identity> {
  const path = join(directory, "DATABASE");
  const lines = (await readFile(path, "utf8")).split("\n");
  const name = valueOf(lines, "name");
  const node = valueOf(lines, "node");
  if (name === undefined || node === undefined || !/^[0-9a-f]{1,32}$/i.test(node)) {
    throw new StorageError("unreadable", `${path} must hold a name and a node in hexadecimal`);
  }
  const nodeId = Uint8Array.from(Buffer.from(node.padStart(32, "0"), "hex")).reverse();
  return { name, nodeId };
}

/** The contents of the file: a little TOML. */
export function identityText({ name, nodeId }: Identity): string {
  const node = Buffer.from(nodeId.slice().reverse()).toString("hex");
  // What JSON escapes, TOML reads the same way.
  return `name = ${JSON.stringify(name)}\nnode = "${node}"\n`;
}

function valueOf(lines: string[], key: string): string | undefined {
  const line = lines.find((line) => line.startsWith(`${key} = `));
  return line === undefined ? undefined : tomlString(line.slice(key.length + 3).trim());
}

/** A TOML string of one line: basic or literal, in single or triple quotes. */
function tomlString(text: string): string | undefined {
  for (const quote of ["'''", "'"]) {
    if (isQuoted(text, quote)) return text.slice(quote.length, -quote.length);
  }
  const quote = isQuoted(text, '"""') ? '"""' : '"';
  if (!isQuoted(text, quote)) return undefined;
  const inner = text
    .slice(quote.length, -quote.length)
    .replace(/(\\\\)|\\U([0-9a-fA-F]{8})/g, (whole, _, code?: string) =>
      code === undefined ? whole : String.fromCodePoint(Number.parseInt(code, 16)),
    )
    .replace(/(\\.)|"/g, (whole, escape?: string) => (escape === undefined ? '\\"' : whole));
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    return undefined;
  }
}

function isQuoted(text: string, quote: string): boolean {
  return text.length >= 2 * quote.length && text.startsWith(quote) && text.endsWith(quote);
}
