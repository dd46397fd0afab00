/**
 * One database in files: its log in `wal/0000000000000001.wal` and so on, its blobs in
 * `blobs/0000000000000001.blob`; numbers are in hexadecimal.
 */

import { lstat, readdir, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { StorageError, type FileId, type FileInfo, type Store } from "../types.js";
import {
  createNew,
  faulty,
  openRead,
  readAt,
  syncDirectory,
  writeAt,
  writeWhole,
} from "./file_acts.js";
import { FileBlobs, hex16 } from "./file_blobs.js";

/** Written segments that stay open; a closed segment may still be sealed by a late write. */
const OPEN_MAX = 4;
/** A failing disk must not be filled with copies of its damage. */
const QUARANTINE_BYTES_MAX = 256 << 20;
const SEGMENT = /^([0-9a-f]{16})\.wal$/;

interface Written {
  handle: FileHandle;
  /** After a failed write or sync nothing is known of the file, and it is not touched again. */
  failed: boolean;
}

/** One database: a directory with its log and its blobs. */
export class FileStore implements Store {
  readonly nodeId: Uint8Array;
  readonly #directory: string;
  readonly #wal: string;
  readonly #quarantine: string;
  readonly #blobs: FileBlobs;
  /** Segments created since this was opened; no other is ever written to. */
  readonly #written = new Map<bigint, Written>();

  constructor(directory: string, nodeId: Uint8Array) {
    this.nodeId = nodeId;
    this.#directory = directory;
    this.#wal = join(directory, "wal");
    this.#quarantine = join(directory, "quarantine");
    this.#blobs = new FileBlobs(join(directory, "blobs"));
  }

  async files(): Promise<FileInfo[]> {
    const found: FileInfo[] = [];
    for (const name of await readdir(this.#wal).catch(faulty)) {
      const match = SEGMENT.exec(name);
      if (match === null) continue;
      const status = await lstat(join(this.#wal, name)).catch(faulty);
      if (!status.isFile()) continue;
      const file: FileId = { kind: "segment", id: BigInt(`0x${match[1]}`) };
      found.push({ file, length: status.size });
    }
    return [...found, ...(await this.#blobs.files().catch(faulty))];
  }

  async persist(segment: bigint, offset: number, bytes: Uint8Array, sync: boolean): Promise<void> {
    if (offset === 0) await this.#create(segment, bytes).catch(faulty);
    else await this.#write(segment, offset, bytes, sync).catch(faulty);
  }

  async put(blob: bigint, offset: number, bytes: Uint8Array, isLast: boolean): Promise<void> {
    await this.#blobs.put(blob, offset, bytes, isLast).catch(faulty);
  }

  async read(file: FileId, offset: number, length: number): Promise<Uint8Array> {
    const path = file.kind === "blob" ? this.#blobs.path(file.id) : this.#path(file.id);
    const handle = await openRead(path).catch(unread);
    try {
      return await readAt(handle, offset, length).catch(unread);
    } finally {
      await handle.close();
    }
  }

  async delete(file: FileId): Promise<void> {
    if (file.kind === "blob") return this.#blobs.delete(file.id).catch(faulty);
    await this.#forget(file.id);
    await rm(this.#path(file.id), { force: true }).catch(faulty);
    await syncDirectory(this.#wal).catch(faulty);
  }

  async quarantine(file: FileId, offset: number, length: number): Promise<void> {
    const names = await readdir(this.#quarantine).catch(faulty);
    const prefix = file.kind === "blob" ? "blob-" : "";
    const name = `${prefix}${hex16(file.id)}-${offset.toString(16)}.bin`;
    let held = length;
    for (const name of names) held += (await stat(join(this.#quarantine, name))).size;
    if (names.includes(name) || held > QUARANTINE_BYTES_MAX) return;
    const bytes = await this.read(file, offset, length);
    const copy = await createNew(join(this.#quarantine, name)).catch(faulty);
    try {
      await writeAt(copy, bytes, 0);
      await copy.sync();
    } catch (error) {
      return faulty(error);
    } finally {
      await copy.close();
    }
    await syncDirectory(this.#quarantine).catch(faulty);
  }

  async report(json: string): Promise<void> {
    await writeWhole(join(this.#directory, "recovery.json"), json).catch(faulty);
  }

  async close(): Promise<void> {
    for (const segment of [...this.#written.keys()]) await this.#forget(segment);
    await this.#blobs.close();
  }

  async #create(segment: bigint, bytes: Uint8Array): Promise<void> {
    const path = this.#path(segment);
    // The first segment relies on the blobs that were found; an earlier run may have failed to
    // sync their names.
    if (this.#written.size === 0) await this.#blobs.settle();
    const handle = await createNew(path);
    try {
      await writeAt(handle, bytes, 0);
      await handle.datasync();
    } catch (error) {
      // Nothing in it was acknowledged, and it takes space that may be what is missing.
      await handle.close();
      await rm(path, { force: true });
      throw error;
    }
    this.#written.set(segment, { handle, failed: false });
    await syncDirectory(this.#wal);
    const [oldest] = this.#written.keys();
    if (this.#written.size > OPEN_MAX && oldest !== undefined) await this.#forget(oldest);
  }

  async #write(segment: bigint, offset: number, bytes: Uint8Array, sync: boolean): Promise<void> {
    const written = this.#written.get(segment);
    if (written === undefined || written.failed) {
      throw new StorageError("io", `${this.#path(segment)} is not ours to write to any more`);
    }
    try {
      await writeAt(written.handle, bytes, offset);
      if (sync) await written.handle.datasync();
    } catch (error) {
      written.failed = true;
      throw error;
    }
  }

  async #forget(segment: bigint): Promise<void> {
    const written = this.#written.get(segment);
    this.#written.delete(segment);
    await written?.handle.close().catch(() => undefined);
  }

  #path(segment: bigint): string {
    return join(this.#wal, `${hex16(segment)}.wal`);
  }
}

/** Damage is what the medium says of itself; a lack of descriptors or of rights is none. */
function unread(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EIO") throw new StorageError("unreadable", message, { cause: error });
  if (code === "ENOENT") throw new StorageError("io", message, { cause: error });
  return faulty(error);
}
