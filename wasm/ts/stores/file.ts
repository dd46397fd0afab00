/**
 * Databases in files, for Node, Deno and Bun. The directory is the one that `tidegate serve`
 * has: either can open what the other left.
 *
 *     DIR/TIDEGATE                      whose directory this is, and its format
 *     DIR/databases/000001/DATABASE     a database's name and node id
 *     DIR/databases/000001/wal/*.wal    its log
 *     DIR/databases/000001/blobs/*.blob its snapshots
 *     DIR/databases/000001/recovery.json  what the last opening found, if anything
 */

import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { StorageError, type Store, type Stores } from "../types.js";
import { identityOf, identityText } from "./database_file.js";
import { DIRECTORY_MODE, faulty, syncDirectory, writeWhole } from "./file_acts.js";
import { FileStore } from "./file_store.js";
import { DirectoryLock, LOCK_FILES } from "./lock.js";

const MARKER = "TIDEGATE";
const FIRST_LINE = "tidegate data, format ";
const FORMAT = 1;
const USERS_LINE = "users";
const NUMBER = /^(\d{6,})$/;
const LEFT_OVER = /^\d{6,}\.(new|drop)$/;

interface Entry {
  number: number;
  nodeId: Uint8Array;
}

/** The databases under one directory, which is locked while this is open. */
export class FileStores implements Stores {
  readonly ack = "durable";
  readonly #databases: string;
  readonly #lock: DirectoryLock;
  /** Directories of databases, by name; they are numbered in the order of creation. */
  readonly #found = new Map<string, Entry>();
  /** Numbers of creates that failed and could not be taken back yet. */
  readonly #undone = new Map<string, number>();
  #last = 0;

  private constructor(directory: string, lock: DirectoryLock) {
    this.#databases = join(directory, "databases");
    this.#lock = lock;
  }

  /** Takes a directory, making it if need be. A foreign, locked or newer one is refused. */
  static async take(directory: string): Promise<FileStores> {
    await makeDirectory(directory);
    const marker = join(directory, MARKER);
    const fresh = await isFresh(directory, marker);
    const lock = await DirectoryLock.take(directory);
    try {
      if (fresh) await writeWhole(marker, `${FIRST_LINE}${FORMAT}\nnode ${randomHex()}\n`);
      const stores = new FileStores(directory, lock);
      await mkdir(stores.#databases, { recursive: true, mode: DIRECTORY_MODE });
      await syncDirectory(directory);
      await stores.#find();
      // What is found here is relied on, so no crash may take it away again.
      await syncDirectory(stores.#databases);
      return stores;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async list(): Promise<string[]> {
    return [...this.#found.keys()];
  }

  async create(database: string, nodeId: Uint8Array): Promise<Store> {
    if (this.#found.has(database)) {
      throw new StorageError("fenced", `a store of database ${database} exists already`);
    }
    const leftOver = this.#undone.get(database);
    if (leftOver !== undefined) await this.#undo(database, leftOver).catch(faulty);
    const number = ++this.#last;
    const final = this.#path(number);
    const building = `${final}.new`;
    try {
      for (const path of [building, join(building, "wal"), join(building, "quarantine")]) {
        await mkdir(path, { mode: DIRECTORY_MODE });
      }
      await writeWhole(join(building, "DATABASE"), identityText({ name: database, nodeId }));
      // The name appears only when all behind it is durable.
      await rename(building, final);
      await syncDirectory(this.#databases);
    } catch (error) {
      // Should this fail too, the next attempt or the next start does it.
      await this.#undo(database, number).catch(() => undefined);
      return faulty(error);
    }
    this.#found.set(database, { number, nodeId });
    return new FileStore(final, nodeId);
  }

  async open(database: string): Promise<Store> {
    const { number, nodeId } = this.#entry(database);
    return new FileStore(this.#path(number), nodeId);
  }

  async drop(database: string): Promise<void> {
    const path = this.#path(this.#entry(database).number);
    await rename(path, `${path}.drop`).catch(faulty);
    this.#found.delete(database);
    await syncDirectory(this.#databases).catch(faulty);
    await rm(`${path}.drop`, { recursive: true, force: true }).catch(faulty);
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  /** Finds the databases, and removes what a crash left of a create or a drop. */
  async #find(): Promise<void> {
    const numbers: number[] = [];
    for (const name of await readdir(this.#databases)) {
      if (LEFT_OVER.test(name)) {
        await rm(join(this.#databases, name), { recursive: true, force: true });
      } else if (NUMBER.test(name)) {
        numbers.push(Number(name));
      }
    }
    for (const number of numbers.sort((a, b) => a - b)) {
      const { name, nodeId } = await identityOf(this.#path(number));
      this.#found.set(name, { number, nodeId });
      this.#last = number;
    }
  }

  /** Takes back what there is of a create, wherever it failed: also after its name appeared. */
  async #undo(database: string, number: number): Promise<void> {
    this.#undone.set(database, number);
    const final = this.#path(number);
    const building = `${final}.new`;
    await rename(final, building).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rm(building, { recursive: true, force: true });
    await syncDirectory(this.#databases);
    this.#undone.delete(database);
  }

  #entry(database: string): Entry {
    const entry = this.#found.get(database);
    if (entry !== undefined) return entry;
    throw new StorageError("unreadable", `there is no store of database ${database}`);
  }

  #path(number: number): string {
    return join(this.#databases, String(number).padStart(6, "0"));
  }
}

/** Makes a directory, and its name durable, with those of all directories made on the way. */
async function makeDirectory(directory: string): Promise<void> {
  const path = resolve(directory);
  const parent = dirname(path);
  const first = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  const top = first === undefined ? parent : dirname(first);
  for (let made = parent; ; made = dirname(made)) {
    await syncDirectory(made).catch((error: NodeJS.ErrnoException) => {
      // What others made may be closed to us, and its names are their business.
      if (made !== top || !["EACCES", "EPERM"].includes(error.code ?? "")) throw error;
    });
    if (made === top || made === dirname(made)) return;
  }
}

/** Whether the directory is yet to be made ours; throws if it is somebody else's. */
async function isFresh(directory: string, marker: string): Promise<boolean> {
  const text = await readFile(marker, "utf8").catch(() => undefined);
  if (text === undefined) {
    const ours = [...LOCK_FILES, `${MARKER}.new`];
    const foreign = (await readdir(directory)).find((name) => !ours.includes(name));
    if (foreign === undefined) return true;
    throw new Error(
      `${directory} holds ${foreign} but no ${MARKER} file, so it is not a data directory of ours; ` +
        "nothing was changed; choose another directory",
    );
  }
  const format = text.startsWith(FIRST_LINE) ? Number.parseInt(text.slice(FIRST_LINE.length)) : 0;
  if (format === FORMAT) {
    // Their passwords guard this data, and nobody is asked for one here.
    if (text.split("\n").includes(USERS_LINE)) {
      throw new Error(
        `${directory} has users, and this server asks nobody who they are; ` +
          "nothing was changed; serve it with tidegate serve, or choose another directory",
      );
    }
    return false;
  }
  if (format > FORMAT) {
    throw new Error(
      `${marker} says format ${format}, and this version reads format ${FORMAT}; ` +
        "use a newer tidegate, or choose another directory",
    );
  }
  throw new Error(`${marker} is not a marker of ours; choose another directory`);
}

function randomHex(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
}
