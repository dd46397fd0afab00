/**
 * One owner for a directory, without flock (which Node does not have): a file that is created
 * exclusively and names its owner by pid and start time, so that a dead owner is recognised even
 * when its pid is taken again.
 */

import { readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { StorageError } from "../types.js";

const NAME = "lock.node";
/** The file that `tidegate serve` holds an flock on. */
const NATIVE_NAME = "lock";

/** What may lie in a directory before it is marked as ours. */
export const LOCK_FILES = [NAME, `${NAME}.takeover`, NATIVE_NAME];

/** A held lock. */
export class DirectoryLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Takes the lock of `directory`, or throws a `fenced` fault that names the owner. */
  static async take(directory: string): Promise<DirectoryLock> {
    const path = join(directory, NAME);
    if (!(await createExclusively(path))) await takeOver(path);
    const lock = new DirectoryLock(path);
    if (await isFlocked(join(directory, NATIVE_NAME))) {
      await lock.release();
      const owner = await readFile(join(directory, NATIVE_NAME), "utf8").catch(() => "");
      const who = `process ${owner.trim() || "unknown"} (tidegate serve)`;
      throw new StorageError(
        "fenced",
        `${directory} is in use by ${who}: stop it first, or choose another directory`,
      );
    }
    return lock;
  }

  /** Gives it back. */
  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** Whether a process holds an flock on `path`. Linux tells; elsewhere nobody can be asked. */
async function isFlocked(path: string): Promise<boolean> {
  const file = await stat(path).catch(() => undefined);
  const locks = await readFile("/proc/locks", "utf8").catch(() => "");
  // 1: FLOCK ADVISORY WRITE 4711 08:01:131085 0 EOF
  const held = locks.split("\n").map((line) => line.split(/\s+/));
  return held.some(([, kind, , , , inode]) => {
    return kind === "FLOCK" && inode?.split(":")[2] === String(file?.ino);
  });
}

/** Replaces the lock of a dead owner. A guard file keeps two from doing so at once. */
async function takeOver(path: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await createExclusively(guard))) {
    throw new StorageError("fenced", `${guard} exists: remove it if no other process is starting`);
  }
  try {
    const owner = await readFile(path, "utf8").catch(() => "");
    if (await isAlive(owner)) {
      const pid = owner.split(" ")[0];
      throw new StorageError(
        "fenced",
        `${path} is held by process ${pid}: stop it first, or choose another directory`,
      );
    }
    await unlink(path).catch(() => undefined);
    if (!(await createExclusively(path))) {
      throw new StorageError("fenced", `${path} was taken by another process just now`);
    }
  } finally {
    await rm(guard, { force: true });
  }
}

async function createExclusively(path: string): Promise<boolean> {
  const text = `${process.pid} ${await startTime(process.pid)}\n`;
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600, flush: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isAlive(owner: string): Promise<boolean> {
  const [pid, started] = owner.trim().split(" ");
  // Empty: its owner is between creating and filling it, or died there. Let a person decide.
  if (!pid || !started) return true;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return (await startTime(Number(pid))) === started;
}

/** Linux: clock ticks since boot at which the process started. Elsewhere the pid must do. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The command in brackets may contain blanks; the 22nd field is the 20th behind it.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "unknown";
}
