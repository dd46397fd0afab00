/** Small acts on files that must be done right everywhere. */

import { constants } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import { StorageError } from "../types.js";

export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/** A link where a file of ours is expected is not followed. Absent on some systems. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** Opens a file to read. */
export function openRead(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | NO_FOLLOW);
}

/** Creates a file that must not exist yet. */
export function createNew(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  return open(path, O_RDWR | O_CREAT | O_EXCL | NO_FOLLOW, FILE_MODE);
}

/** Writes all of `bytes`. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, offset: number) {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

/** Reads `length` bytes; fewer only where the file ends. */
export async function readAt(handle: FileHandle, offset: number, length: number) {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Puts a small file in place, whole or not at all, durably. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const handle = await createNew(temporary);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes the names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Throws `error` as a fault of the core's vocabulary. */
export function faulty(error: unknown): never {
  if (error instanceof StorageError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  throw new StorageError(FAULTS[code ?? ""] ?? "io", message, { cause: error });
}

/** What clears by itself when space or descriptors come back is `no-space`. */
const FAULTS: Record<string, "no-space" | "unreadable" | "fenced"> = {
  ENOSPC: "no-space",
  EDQUOT: "no-space",
  EFBIG: "no-space",
  EMFILE: "no-space",
  ENFILE: "no-space",
  ENOENT: "unreadable",
  EEXIST: "fenced",
};
