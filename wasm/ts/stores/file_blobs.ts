/** The blobs of one database: written under a temporary name, there with their last part. */

import { lstat, mkdir, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { StorageError, type FileId, type FileInfo } from "../types.js";
import { createNew, DIRECTORY_MODE, syncDirectory, writeAt } from "./file_acts.js";

const BLOB = /^([0-9a-f]{16})\.blob$/;
const PART = /^[0-9a-f]{16}\.part$/;

/** A directory of blobs, which is made with the first one. */
export class FileBlobs {
  readonly #directory: string;
  /** The blob that is being written. */
  #underWay: { blob: bigint; handle: FileHandle } | undefined;
  /** A blob that lacks a part, until it is deleted. */
  #failed: bigint | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** All that are whole. What an earlier run left unfinished is removed. */
  async files(): Promise<FileInfo[]> {
    await this.close();
    this.#failed = undefined;
    const found: FileInfo[] = [];
    for (const name of await readdir(this.#directory).catch(noneIfMissing)) {
      const path = join(this.#directory, name);
      // Should this fail, it is in nobody's way.
      if (PART.test(name)) await rm(path, { force: true }).catch(() => undefined);
      const match = BLOB.exec(name);
      if (match === null) continue;
      const status = await lstat(path);
      if (!status.isFile()) continue;
      const file: FileId = { kind: "blob", id: BigInt(`0x${match[1]}`) };
      found.push({ file, length: status.size });
    }
    return found;
  }

  /** Puts a part; the last one gives the blob its name, durably. */
  async put(blob: bigint, offset: number, bytes: Uint8Array, isLast: boolean): Promise<void> {
    const path = this.#part(blob);
    if (this.#failed === blob) throw new StorageError("io", `${path} lacks a part that failed`);
    try {
      if (this.#underWay?.blob !== blob) await this.#begin(blob);
      const { handle } = this.#underWay!;
      await writeAt(handle, bytes, offset);
      // Part by part, so that no sync is long: the log waits for it.
      await handle.datasync();
      if (!isLast) return;
      await this.close();
      await rename(path, this.path(blob));
      await syncDirectory(this.#directory);
    } catch (error) {
      await this.close();
      this.#failed = blob;
      throw error;
    }
  }

  /** Removes a blob, whole or not. */
  async delete(blob: bigint): Promise<void> {
    if (this.#underWay?.blob === blob) await this.close();
    if (this.#failed === blob) this.#failed = undefined;
    await rm(this.#part(blob), { force: true });
    await rm(this.path(blob), { force: true });
    await syncDirectory(this.#directory).catch(noneIfMissing);
  }

  /** Makes the names of all blobs durable. */
  async settle(): Promise<void> {
    await syncDirectory(this.#directory).catch(noneIfMissing);
    await syncDirectory(dirname(this.#directory));
  }

  /** Lets go of the blob that is being written. */
  async close(): Promise<void> {
    const handle = this.#underWay?.handle;
    this.#underWay = undefined;
    await handle?.close().catch(() => undefined);
  }

  /** Where a whole blob is. */
  path(blob: bigint): string {
    return join(this.#directory, `${hex16(blob)}.blob`);
  }

  async #begin(blob: bigint): Promise<void> {
    await this.close();
    const made = await mkdir(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    if (made !== undefined) await syncDirectory(dirname(this.#directory));
    await rm(this.#part(blob), { force: true });
    this.#underWay = { blob, handle: await createNew(this.#part(blob)) };
  }

  #part(blob: bigint): string {
    return join(this.#directory, `${hex16(blob)}.part`);
  }
}

/** A number as names of files have it. */
export function hex16(number: bigint): string {
  return number.toString(16).padStart(16, "0");
}

/** Directories of earlier versions have none. */
function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code !== "ENOENT") throw error;
  return [];
}
