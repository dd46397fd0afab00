/** Databases in files, for Node, Deno and Bun: a directory each, a file per segment. */

import { mkdir, open, readFile, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { StorageError, type Segment, type Store, type Stores } from "../types.js";
import { databaseOf, directoryOf, segmentOf, segmentFile } from "./file_names.js";
import { DirectoryLock } from "./lock.js";

const NODE_FILE = "node";
const COPY_BYTES = 1 << 20;

/** The databases under one directory, which is locked while this is open. */
export class FileStores implements Stores {
  readonly ack = "durable";
  readonly #directory: string;
  readonly #lock: DirectoryLock;

  private constructor(directory: string, lock: DirectoryLock) {
    this.#directory = directory;
    this.#lock = lock;
  }

  /** Takes a directory, making it if need be; throws a `fenced` fault if another process has it. */
  static async take(directory: string): Promise<FileStores> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const lock = await DirectoryLock.take(directory);
    const stores = new FileStores(directory, lock);
    await stores.#sweep();
    return stores;
  }

  async list(): Promise<string[]> {
    const found: { name: string; since: bigint }[] = [];
    for (const directory of await readdir(this.#directory)) {
      const name = databaseOf(directory);
      if (name === undefined) continue;
      // Written once, when the database was created.
      const { mtimeNs } = await stat(join(this.#path(name), NODE_FILE), { bigint: true });
      found.push({ name, since: mtimeNs });
    }
    const byAge = (a: (typeof found)[0], b: (typeof found)[0]) => (a.since < b.since ? -1 : 1);
    return found.sort(byAge).map(({ name }) => name);
  }

  async create(database: string, nodeId: Uint8Array): Promise<Store> {
    const final = this.#path(database);
    const draft = join(this.#directory, `.new-${directoryOf(database)}`);
    await mkdir(draft, { mode: 0o700 });
    await writeDurably(join(draft, NODE_FILE), Buffer.from(nodeId).toString("hex"));
    await syncDirectory(draft);
    // The name appears only when all behind it is durable.
    await rename(draft, final);
    await syncDirectory(this.#directory);
    return new FileStore(final, nodeId);
  }

  async open(database: string): Promise<Store> {
    const path = this.#path(database);
    const text = await readFile(join(path, NODE_FILE), "utf8").catch(faulty);
    const nodeId = Uint8Array.from(Buffer.from(text.trim(), "hex"));
    if (nodeId.length !== 16) {
      throw new StorageError("unreadable", `${join(path, NODE_FILE)} must hold 32 hex digits`);
    }
    return new FileStore(path, nodeId);
  }

  async drop(database: string): Promise<void> {
    const grave = join(this.#directory, `.dropped-${directoryOf(database)}`);
    await rename(this.#path(database), grave);
    await syncDirectory(this.#directory);
    await rm(grave, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  /** Removes what a crash left of a create or a drop. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (!name.startsWith(".new-") && !name.startsWith(".dropped-")) continue;
      await rm(join(this.#directory, name), { recursive: true, force: true });
    }
  }

  #path(database: string): string {
    return join(this.#directory, directoryOf(database));
  }
}

/** One database: a directory of segments. */
export class FileStore implements Store {
  readonly nodeId: Uint8Array;
  readonly #directory: string;
  /** The segment being written, kept open. */
  #active: { segment: bigint; handle: FileHandle } | undefined;

  constructor(directory: string, nodeId: Uint8Array) {
    this.#directory = directory;
    this.nodeId = nodeId;
  }

  async segments(): Promise<Segment[]> {
    const found: Segment[] = [];
    for (const name of await readdir(this.#directory).catch(faulty)) {
      const id = segmentOf(name);
      if (id === undefined) continue;
      const handle = await open(join(this.#directory, name), "r").catch(faulty);
      try {
        found.push({ id, length: (await handle.stat()).size });
      } finally {
        await handle.close();
      }
    }
    return found;
  }

  async persist(segment: bigint, offset: number, bytes: Uint8Array, sync: boolean): Promise<void> {
    try {
      const handle = await this.#writable(segment, offset === 0);
      await writeAt(handle, bytes, offset);
      if (sync) await handle.datasync();
      if (offset === 0) await syncDirectory(this.#directory);
    } catch (error) {
      // Nothing is known of the file after a failed sync, so this handle is not used again.
      await this.close().catch(() => undefined);
      return faulty(error);
    }
  }

  async read(segment: bigint, offset: number, length: number): Promise<Uint8Array> {
    const handle = await open(this.#path(segment), "r").catch(faulty);
    try {
      return await readAt(handle, offset, length).catch(faulty);
    } finally {
      await handle.close();
    }
  }

  async delete(segment: bigint): Promise<void> {
    if (this.#active?.segment === segment) await this.close();
    await rm(this.#path(segment), { force: true }).catch(faulty);
    await syncDirectory(this.#directory).catch(faulty);
  }

  async quarantine(segment: bigint, offset: number, length: number): Promise<void> {
    const directory = join(this.#directory, "quarantine");
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch(faulty);
    const copy = await open(join(directory, `${segmentFile(segment)}-${offset}`), "w", 0o600);
    try {
      for (let done = 0; done < length; done += COPY_BYTES) {
        const piece = await this.read(segment, offset + done, Math.min(COPY_BYTES, length - done));
        await writeAt(copy, piece, done);
      }
      await copy.sync();
    } catch (error) {
      return faulty(error);
    } finally {
      await copy.close();
    }
    await syncDirectory(directory).catch(faulty);
    await syncDirectory(this.#directory).catch(faulty);
  }

  async close(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.handle.close();
  }

  async #writable(segment: bigint, create: boolean): Promise<FileHandle> {
    if (!create && this.#active?.segment === segment) return this.#active.handle;
    await this.close();
    const handle = await open(this.#path(segment), create ? "wx" : "r+", 0o600);
    this.#active = { segment, handle };
    return handle;
  }

  #path(segment: bigint): string {
    return join(this.#directory, segmentFile(segment));
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Throws `error` as a fault of the core's vocabulary. */
function faulty(error: unknown): never {
  if (error instanceof StorageError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === "ENOSPC" || code === "EDQUOT") throw new StorageError("no-space", message, options);
  if (code === "ENOENT") throw new StorageError("unreadable", message, options);
  if (code === "EEXIST") throw new StorageError("fenced", message, options);
  throw new StorageError("io", message, options);
}
