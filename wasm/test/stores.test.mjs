// The stores against one table: what is asked of one is asked of all.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs, {
  mkdir,
  mkdtemp,
  open as openFile,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { open } from "../dist/entry/node.js";
import { FileStores } from "../dist/stores/file.js";
import { identityOf, identityText } from "../dist/stores/database_file.js";
import { MemoryStores } from "../dist/stores/memory.js";

const NODE_ID = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
const segment = (id) => ({ kind: "segment", id });
const blob = (id) => ({ kind: "blob", id });
const bytes = (...values) => Uint8Array.from(values);
const listed = async (store) => (await store.files()).sort((a, b) => Number(a.file.id - b.file.id));
const rejectsWith = (fault, work) => assert.rejects(work, { name: "StorageError", fault });

const KINDS = {
  memory: async (use) => use(new MemoryStores()),
  file: async (use) => {
    const directory = await mkdtemp(join(tmpdir(), "tidegate-"));
    const stores = await FileStores.take(directory);
    try {
      await use(stores, directory);
    } finally {
      await stores.close();
      await rm(directory, { recursive: true });
    }
  },
};

for (const [kind, withStores] of Object.entries(KINDS)) {
  test(`${kind}: a database is listed once it is created, and gone once it is dropped`, () =>
    withStores(async (stores) => {
      for (const name of ["b", "a/../b", "%41", "Ünïcode ☃", "."]) {
        await stores.create(name, NODE_ID);
      }
      assert.deepEqual(await stores.list(), ["b", "a/../b", "%41", "Ünïcode ☃", "."]);
      assert.deepEqual((await stores.open("a/../b")).nodeId, NODE_ID);
      await stores.drop("a/../b");
      assert.ok(!(await stores.list()).includes("a/../b"));
      await rejectsWith("unreadable", () => stores.open("a/../b"));
      await stores.create("a/../b", NODE_ID);
      assert.deepEqual(await (await stores.open("a/../b")).files(), []);
    }));

  test(`${kind}: bytes come back as they were put, over each other and behind each other`, () =>
    withStores(async (stores) => {
      const store = await stores.create("db", NODE_ID);
      await store.persist(1n, 0, bytes(1, 2, 3, 4), true);
      await store.persist(1n, 4, bytes(5, 6), true);
      await store.persist(1n, 1, bytes(9), false);
      await store.persist(2n, 0, bytes(7), true);
      await store.persist(1n, 6, bytes(8), true);
      const again = await stores.open("db");
      assert.deepEqual(await again.read(segment(1n), 0, 100), bytes(1, 9, 3, 4, 5, 6, 8));
      assert.deepEqual(await again.read(segment(1n), 2, 2), bytes(3, 4));
      assert.deepEqual(await again.read(segment(1n), 7, 2), bytes());
      assert.deepEqual(await listed(again), [
        { file: segment(1n), length: 7 },
        { file: segment(2n), length: 1 },
      ]);
      await store.close();
    }));

  test(`${kind}: a segment is created once and deleted as often as one likes`, () =>
    withStores(async (stores) => {
      const store = await stores.create("db", NODE_ID);
      await store.persist(1n, 0, bytes(1), true);
      await rejectsWith("fenced", () => store.persist(1n, 0, bytes(2), true));
      await store.quarantine(segment(1n), 0, 1);
      await store.delete(segment(1n));
      await store.delete(segment(1n));
      // Not damage: what is not listed is not missing either.
      await rejectsWith("io", () => store.read(segment(1n), 0, 1));
      assert.deepEqual(await store.files(), []);
      await store.close();
    }));
}

for (const [kind, withStores] of Object.entries(KINDS)) {
  test(`${kind}: a blob is there with its last part, in place of the one before`, () =>
    withStores(async (stores) => {
      const store = await stores.create("db", NODE_ID);
      await store.persist(5n, 0, bytes(7), true);
      for (const [part, whole] of [[[3, 4], [1, 2, 3, 4, 9]], [[8], [1, 2, 8, 9]]]) {
        const before = await listed(store);
        await store.put(5n, 2, bytes(...part), false);
        await store.put(5n, 2 + part.length, bytes(9), false);
        await store.put(5n, 0, bytes(1, 2), true);
        assert.deepEqual(await store.read(blob(5n), 0, 100), bytes(...whole));
        assert.equal((await store.files()).length, 2, `${before.length} before`);
      }
      assert.deepEqual(await store.read(blob(5n), 2, 1), bytes(8));
      assert.deepEqual(await store.read(segment(5n), 0, 100), bytes(7));
      await store.quarantine(blob(5n), 0, 1);
      await store.delete(blob(5n));
      await store.delete(blob(5n));
      await rejectsWith("io", () => store.read(blob(5n), 0, 1));
      assert.deepEqual(await listed(store), [{ file: segment(5n), length: 1 }]);
      await store.close();
    }));

  test(`${kind}: of a blob that is not whole nothing is listed, read or kept`, () =>
    withStores(async (stores) => {
      const store = await stores.create("db", NODE_ID);
      await store.put(5n, 2, bytes(3, 4), false);
      await rejectsWith("io", () => store.read(blob(5n), 0, 1));
      await store.delete(blob(5n));
      await store.put(5n, 0, bytes(1), true);
      assert.deepEqual(await store.read(blob(5n), 0, 100), bytes(1));
      await store.delete(blob(5n));
      await store.put(6n, 2, bytes(3, 4, 5), false);
      assert.deepEqual(await store.files(), []);
      // The listing begins another life: nothing of the one before goes into its blobs.
      await store.put(6n, 2, bytes(6), false);
      await store.put(6n, 0, bytes(1, 2), true);
      assert.deepEqual(await store.read(blob(6n), 0, 100), bytes(1, 2, 6));
      await store.close();
    }));
}

test("memory: a full store says so", async () => {
  const store = await new MemoryStores(3).create("db", NODE_ID);
  await store.persist(1n, 0, bytes(1, 2), true);
  await rejectsWith("no-space", () => store.persist(1n, 2, bytes(3, 4), true));
  await store.persist(1n, 2, bytes(3), true);
  await rejectsWith("no-space", () => store.put(1n, 0, bytes(4), true));
  await store.delete(segment(1n));
  await store.put(1n, 1, bytes(4, 5), false);
  await rejectsWith("no-space", () => store.put(1n, 0, bytes(1, 2, 3, 4), true));
  await store.put(1n, 0, bytes(1), true);
});

async function withDirectory(use) {
  const directory = await mkdtemp(join(tmpdir(), "tidegate-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("file: only what the medium has lost is unreadable; the rest may pass", () =>
  withDirectory(async (directory) => {
    const { FileStore } = await import("../dist/stores/file_store.js");
    const store = new FileStore(directory, NODE_ID);
    const handle = await openFile(directory, "r");
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    await mkdir(join(directory, "wal"));
    await store.persist(1n, 0, bytes(1, 2), true);
    const { read } = prototype;
    try {
      for (const [code, fault] of [["EIO", "unreadable"], ["EMFILE", "no-space"], ["EACCES", "io"]]) {
        prototype.read = async () => {
          throw Object.assign(new Error(code), { code });
        };
        await rejectsWith(fault, () => store.read(segment(1n), 0, 1));
      }
    } finally {
      prototype.read = read;
    }
    await store.close();
  }));

test("file: blobs are private, synced part by part, and named by a synced directory", () =>
  withDirectory(async (directory) => {
    await (await FileStores.take(directory)).close();
    const database = join(directory, "databases", "000001");
    const blobs = join(database, "blobs");
    await withSyncs(() => false, async (synced) => {
      const stores = await FileStores.take(directory);
      const store = await stores.create("db", NODE_ID);
      synced.length = 0;
      await store.put(0x1fn, 2, bytes(3), false);
      const part = join(blobs, "000000000000001f.part");
      assert.deepEqual(synced, [database, part]);
      assert.deepEqual(await readdir(blobs), ["000000000000001f.part"]);
      await store.put(0x1fn, 0, bytes(1, 2), true);
      assert.deepEqual(synced, [database, part, part, blobs]);
      assert.deepEqual(await readdir(blobs), ["000000000000001f.blob"]);
      assert.equal((await stat(blobs)).mode & 0o777, 0o700);
      assert.equal((await stat(join(blobs, "000000000000001f.blob"))).mode & 0o777, 0o600);
      await store.quarantine(blob(0x1fn), 1, 2);
      const copy = await readFile(join(database, "quarantine", "blob-000000000000001f-1.bin"));
      assert.deepEqual([...copy], [2, 3]);
      synced.length = 0;
      await store.delete(blob(0x1fn));
      assert.deepEqual(synced, [blobs]);
      await store.close();
      await stores.close();
    });
  }));

test("file: parts that a crash left are removed when files are listed", () =>
  withDirectory(async (directory) => {
    const stores = await FileStores.take(directory);
    const store = await stores.create("db", NODE_ID);
    await store.put(1n, 0, bytes(1), true);
    const blobs = join(directory, "databases", "000001", "blobs");
    for (const name of ["0000000000000002.part", "2.part", "0000000000000002.blob.x"]) {
      await writeFile(join(blobs, name), "left");
    }
    await symlink("0000000000000001.blob", join(blobs, "0000000000000003.blob"));
    assert.deepEqual(await listed(store), [{ file: blob(1n), length: 1 }]);
    const left = (await readdir(blobs)).sort();
    const stem = "000000000000000";
    assert.deepEqual(left, [`${stem}1.blob`, `${stem}2.blob.x`, `${stem}3.blob`, "2.part"]);
    await store.close();
    await stores.close();
  }));

test("file: a blob that lacks a part never gets its name", () =>
  withDirectory(async (directory) => {
    const stores = await FileStores.take(directory);
    const store = await stores.create("db", NODE_ID);
    let failing = false;
    await withSyncs(
      (path) => failing && path.endsWith(".part"),
      async () => {
        await store.put(1n, 4, bytes(1), false);
        failing = true;
        await rejectsWith("io", () => store.put(1n, 5, bytes(1), false));
        failing = false;
        await rejectsWith("io", () => store.put(1n, 0, bytes(1, 2, 3, 4), true));
        await store.delete(blob(1n));
        assert.deepEqual(await readdir(join(directory, "databases", "000001", "blobs")), []);
        await store.put(1n, 0, bytes(1), true);
        assert.deepEqual(await listed(store), [{ file: blob(1n), length: 1 }]);
      },
    );
    await store.close();
    await stores.close();
  }));

test("file: a directory has one owner, until that owner is dead", () =>
  KINDS.file(async (_, directory) => {
    await rejectsWith("fenced", () => FileStores.take(directory));
    // No process has this pid and start time.
    await writeFile(join(directory, "lock.node"), `${process.pid} 1\n`);
    const stores = await FileStores.take(directory);
    await rejectsWith("fenced", () => FileStores.take(directory));
    await stores.close();
    assert.deepEqual((await readdir(directory)).sort(), ["TIDEGATE", "databases"]);
  }));

test("file: a directory that the native server has locked is refused", () =>
  withDirectory(async (directory) => {
    await (await FileStores.take(directory)).close();
    const lock = join(directory, "lock");
    await writeFile(lock, "");
    const holder = spawn("flock", ["-o", lock, "sh", "-c", "echo held; sleep 60"], { detached: true });
    await once(holder.stdout, "data");
    await rejectsWith("fenced", () => FileStores.take(directory));
    process.kill(-holder.pid);
    await once(holder, "exit");
    await (await FileStores.take(directory)).close();
  }));

test("file: what a crash left of a create or a drop is swept at the next start", () =>
  withDirectory(async (directory) => {
    const first = await FileStores.take(directory);
    await first.create("kept", NODE_ID);
    await first.close();
    const databases = join(directory, "databases");
    await mkdir(join(databases, "000007.new"));
    await mkdir(join(databases, "000003.drop"));
    const stores = await FileStores.take(directory);
    assert.deepEqual(await stores.list(), ["kept"]);
    assert.deepEqual(await readdir(databases), ["000001"]);
    await stores.close();
  }));

test("file: a directory of somebody else, or of a later format, is left alone", () =>
  withDirectory(async (directory) => {
    await writeFile(join(directory, "meta.db"), "");
    await assert.rejects(() => FileStores.take(directory), /meta\.db/);
    await writeFile(join(directory, "TIDEGATE"), "tidegate data, format 2\n");
    await assert.rejects(() => FileStores.take(directory), /use a newer tidegate/);
    assert.deepEqual((await readdir(directory)).sort(), ["TIDEGATE", "meta.db"]);
  }));

test("file: a directory with users is not served to whoever comes", () =>
  withDirectory(async (directory) => {
    const first = await FileStores.take(directory);
    await first.close();
    const marker = join(directory, "TIDEGATE");
    await writeFile(marker, `${await readFile(marker, "utf8")}users\n`);
    await assert.rejects(() => FileStores.take(directory), /has users.*tidegate serve/);
  }));

test("file: a database keeps any name, whichever way its file quotes it", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "DATABASE");
    const names = ["a", 'a "b"', "it's", "\\", '\\"', "\u2603 \u{1f600}", `a'''b"""c`, "\\U0001F600"];
    for (const name of names) {
      await writeFile(path, identityText({ name, nodeId: NODE_ID }));
      assert.deepEqual(await identityOf(directory), { name, nodeId: NODE_ID });
    }
    const quoted = [
      [`'a "b"'`, 'a "b"'],
      [`'''it's "b"'''`, `it's "b"`],
      [`"""it's "b" """`, `it's "b" `],
      [`"\\U0001F600\\\\"`, "\u{1f600}\\"],
    ];
    for (const [text, name] of quoted) {
      await writeFile(path, `name = ${text}\nnode = "feed"\n`);
      const nodeId = Uint8Array.from({ length: 16 }, (_, i) => [0xed, 0xfe][i] ?? 0);
      assert.deepEqual(await identityOf(directory), { name, nodeId });
    }
  }));

/** Lets every sync be seen, and fail if `fails` says so of its path. */
async function withSyncs(fails, use) {
  const { open } = fs;
  const synced = [];
  fs.open = async (path, ...rest) => {
    const handle = await open(path, ...rest);
    for (const name of ["sync", "datasync"]) {
      const sync = handle[name];
      handle[name] = async () => {
        if (fails(path)) throw Object.assign(new Error(`EIO: ${name}`), { code: "EIO" });
        await sync.call(handle);
        synced.push(path);
      };
    }
    return handle;
  };
  syncBuiltinESMExports();
  try {
    await use(synced);
  } finally {
    fs.open = open;
    syncBuiltinESMExports();
  }
}

test("file: every directory that is made is made durable in its parent", () =>
  withDirectory((directory) =>
    withSyncs(() => false, async (synced) => {
      const data = join(directory, "a", "b", "data");
      await (await FileStores.take(data)).close();
      const parents = [directory, join(directory, "a"), join(directory, "a", "b")];
      for (const path of [...parents, data, join(data, "databases")]) {
        assert.ok(synced.includes(path), `${path} is not among ${synced}`);
      }
      synced.length = 0;
      await (await FileStores.take(data)).close();
      for (const path of [join(directory, "a", "b"), data, join(data, "databases")]) {
        assert.ok(synced.includes(path), `${path} is not among ${synced}`);
      }
    }),
  ));

test("file: a create whose last sync fails leaves nothing behind, now or for the next try", () =>
  withDirectory(async (directory) => {
    const stores = await FileStores.take(directory);
    const databases = join(directory, "databases");
    let failures = 1;
    await withSyncs(
      (path) => path === databases && failures-- > 0,
      async () => {
        await rejectsWith("io", () => stores.create("db", NODE_ID));
        assert.deepEqual(await readdir(databases), []);
        assert.deepEqual(await stores.list(), []);
        // Now taking it back fails too, and the next try has to do that first.
        failures = 2;
        await rejectsWith("io", () => stores.create("db", NODE_ID));
        await stores.create("db", NODE_ID);
        assert.equal((await readdir(databases)).length, 1);
        assert.deepEqual(await stores.list(), ["db"]);
      },
    );
    await stores.close();
  }));

/** A directory with one database of ten points, of which the last but one is damaged. */
async function damaged(directory) {
  const server = await open(directory);
  await server.query("CREATE DATABASE db");
  for (let n = 0; n < 10; n++) {
    const written = await server.write({ database: "db" }, `m v=${n} ${n}`);
    assert.equal(written.status, 204);
  }
  await server.close();
  const wal = join(directory, "databases", "000001", "wal");
  const path = join(wal, (await readdir(wal)).sort().at(-1));
  const log = await readFile(path);
  const at = log.length - 100;
  log[at] ^= 4;
  await writeFile(path, log);
  return join(directory, "databases", "000001", "recovery.json");
}

test("file: what opening found is written down as the native server does it", () =>
  withDirectory(async (directory) => {
    const path = await damaged(directory);
    const reports = [];
    const server = await open(directory, { report: (text) => reports.push(text), nowNs: () => 77n });
    const found = JSON.parse(await readFile(path, "utf8"));
    await server.close();
    assert.equal(found.time_ns, 77);
    assert.equal(found.points, 9);
    assert.equal(found.damage.length, 1);
    const keys = ["segment", "offset", "length", "first_lsn", "last_lsn", "points"];
    assert.deepEqual(Object.keys(found.damage[0]), keys);
    assert.equal(found.damage[0].first_lsn, found.damage[0].last_lsn);
    assert.equal(reports.length, 1, "and it is told");
    await rm(path);
    const clean = await open(directory);
    await clean.query("CREATE DATABASE other");
    await clean.close();
    const others = await readdir(join(directory, "databases", "000002"));
    assert.ok(!others.includes("recovery.json"), "there is nothing to tell");
  }));

test("file: nobody is answered before what opening found is written down", () =>
  withDirectory(async (directory) => {
    const path = await damaged(directory);
    const stores = await FileStores.take(directory);
    let fail = true;
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    let reporting;
    const reached = new Promise((resolve) => (reporting = resolve));
    const { open: openStore } = stores;
    stores.open = async (name) => {
      const store = await openStore.call(stores, name);
      const { read, report } = store;
      // The first opening fails and is repeated in the background, while requests come in.
      store.read = (...range) => {
        if (!fail) return read.apply(store, range);
        fail = false;
        return Promise.reject(new Error("EMFILE"));
      };
      store.report = async (json) => {
        reporting();
        await gate;
        await report.call(store, json);
      };
      return store;
    };
    const server = await open(stores, { report: () => undefined });
    await reached;
    let isAnswered = false;
    const answer = server.query("SELECT v FROM m", "db").then(async (json) => {
      isAnswered = true;
      await stat(path);
      return json;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(!isAnswered);
    release();
    assert.equal((await answer).results[0].series[0].values.length, 9);
    await server.close();
  }));
