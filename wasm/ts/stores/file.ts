/**
 * Databases in files, for Node, Deno and Bun. The directory is the one that `tidegate serve`
 * has: either can open what the other left.
 *
 *     DIR/TIDEGATE                      whose directory this is, and its format
 *     DIR/databases/000001/DATABASE     a database's name and node id
 *     DIR/databases/000001/wal/*.wal    its log
 */

import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { StorageError, type Store, type Stores } from "../types.js";
import { identityOf, identityText } from "./database_file.js";
import { DIRECTORY_MODE, faulty, syncDirectory, writeWhole } from "./file_acts.js";
import { FileStore } from "./file_store.js";
import { DirectoryLock, LOCK_FILES } from "./lock.js";

const MARKER = "TIDEGATE";
const FIRST_LINE = "tidegate data, format ";
const FORMAT = 1;
const NUMBER = /^(\d{6,})$/;
const LEFT_OVER = /^\d{6,}\.(new|drop)$/;

/** The databases under one directory, which is locked while this is open. */
export class FileStores implements Stores {
  readonly ack = "durable";
  readonly #databases: string;
  readonly #lock: DirectoryLock;
  /** Directories of databases, by name; they are numbered in the order of creation. */
  readonly #numbers = new Map<string, number>();
  #last = 0;

  private constructor(directory: string, lock: DirectoryLock) {
    this.#databases = join(directory, "databases");
    this.#lock = lock;
  }

  /** Takes a directory, making it if need be. A foreign, locked or newer one is refused. */
  static async take(directory: string): Promise<FileStores> {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    const marker = join(directory, MARKER);
    const fresh = await isFresh(directory, marker);
    const lock = await DirectoryLock.take(directory);
    try {
      if (fresh) await writeWhole(marker, `${FIRST_LINE}${FORMAT}\nnode ${randomHex()}\n`);
      const stores = new FileStores(directory, lock);
      await mkdir(stores.#databases, { recursive: true, mode: DIRECTORY_MODE });
      await syncDirectory(directory);
      await stores.#find();
      return stores;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async list(): Promise<string[]> {
    return [...this.#numbers.keys()];
  }

  async create(database: string, nodeId: Uint8Array): Promise<Store> {
    if (this.#numbers.has(database)) {
      throw new StorageError("fenced", `a store of database ${database} exists already`);
    }
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
      // Best effort; the next start does it otherwise.
      await rm(building, { recursive: true, force: true }).catch(() => undefined);
      return faulty(error);
    }
    this.#numbers.set(database, number);
    return new FileStore(final, nodeId);
  }

  async open(database: string): Promise<Store> {
    const path = this.#path(this.#number(database));
    const { nodeId } = await identityOf(path).catch(faulty);
    return new FileStore(path, nodeId);
  }

  async drop(database: string): Promise<void> {
    const path = this.#path(this.#number(database));
    await rename(path, `${path}.drop`).catch(faulty);
    this.#numbers.delete(database);
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
      const { name } = await identityOf(this.#path(number));
      this.#numbers.set(name, number);
      this.#last = number;
    }
  }

  #number(database: string): number {
    const number = this.#numbers.get(database);
    if (number !== undefined) return number;
    throw new StorageError("unreadable", `there is no store of database ${database}`);
  }

  #path(number: number): string {
    return join(this.#databases, String(number).padStart(6, "0"));
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
  if (format === FORMAT) return false;
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
