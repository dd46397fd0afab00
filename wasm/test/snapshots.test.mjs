// Snapshots: the log behind them goes, and nothing else does, wherever a store stops or fails.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { FileStores, MemoryStores, StorageError, open } from "../dist/entry/node.js";

const SNAPSHOT_LOG_BYTES = 16_384;
const text = (answer) => new TextDecoder().decode(answer.body);

async function withDirectory(use) {
  const directory = await mkdtemp(join(tmpdir(), "tidegate-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const KINDS = {
  memory: async (use) => {
    let stores = new MemoryStores();
    await use(async () => (stores = await copied(stores)));
  },
  file: (use) => withDirectory((directory) => use(() => FileStores.take(directory))),
};

async function withServer(stores, use) {
  const reports = [];
  const options = { snapshotLogBytes: SNAPSHOT_LOG_BYTES, report: (line) => reports.push(line) };
  const server = await open(stores, options);
  try {
    await use(server, reports);
  } finally {
    await server.close();
  }
}

/** A body of 40 points that are in no other round; it takes about 4 KiB of log. */
function body(round) {
  const line = (host) => `cpu,host=${host} v=${round}i,t="${"x".repeat(64)}" ${round + 1}`;
  return Array.from({ length: 40 }, (_, host) => line(host)).join("\n");
}

async function write(server, round) {
  const answer = await server.write({ database: "db" }, body(round));
  assert.equal(answer.status, 204, text(answer));
}

/** Rounds that are there; each of them whole. */
async function rounds(server) {
  const json = await server.query("SELECT v FROM cpu", "db");
  const counts = new Map();
  for (const [, v] of json.results[0].series?.[0].values ?? []) {
    counts.set(v, (counts.get(v) ?? 0) + 1);
  }
  for (const [round, count] of counts) assert.equal(count, 40, `round ${round}`);
  return [...counts.keys()].sort((a, b) => a - b);
}

const upTo = (count) => Array.from({ length: count }, (_, round) => round);

async function filesOf(stores) {
  const held = await stores();
  const files = await (await held.open("db")).files();
  await held.close();
  const of = (kind) => files.filter(({ file }) => file.kind === kind);
  const logBytes = of("segment").reduce((sum, { length }) => sum + length, 0);
  return { logBytes, blobs: of("blob") };
}

/** Names of blobs that are whole, in order. */
async function wholeIn(blobs) {
  const names = await readdir(blobs).catch(() => []);
  return names.filter((name) => name.endsWith(".blob")).sort();
}

/** Tests that wait: what is behind a snapshot is done in the background. */
async function until(isSo, what) {
  for (let i = 0; i < 500; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`waited in vain: ${what}`);
}

/** Stores that do what `gate` lets them: it may throw, or never resolve. */
function gated(stores, gate) {
  const wrap = (store) => {
    const { persist, put, delete: remove } = store;
    for (const [method, act] of Object.entries({ persist, put, delete: remove })) {
      store[method] = (...position) => gate(() => act.apply(store, position), method, position);
    }
    return store;
  };
  const { open: openStore, create } = stores;
  stores.open = async (...position) => wrap(await openStore.apply(stores, position));
  stores.create = async (...position) => wrap(await create.apply(stores, position));
  return stores;
}

for (const [kind, withStores] of Object.entries(KINDS)) {
  test(`${kind}: snapshots bound the log, and a reopened server has every point`, () =>
    withStores(async (stores) => {
      let snapshots = 0;
      for (let life = 0; life < 4; life++) {
        // Acts under way, and turns since the last one.
        let [acts, idle] = [0, 0];
        const watched = gated(await stores(), async (act, method, [, , , isLast]) => {
          acts++;
          await act();
          if (method === "put" && isLast) snapshots++;
          acts--;
          idle = 0;
        });
        await withServer(watched, async (server, reports) => {
          if (life === 0) await server.query("CREATE DATABASE db");
          else assert.deepEqual(await rounds(server), upTo(life * 30));
          for (let round = life * 30; round < life * 30 + 30; round++) await write(server, round);
          await until(() => acts === 0 && idle++ > 5, "the end of a snapshot");
          assert.deepEqual(reports, []);
        });
        const { logBytes, blobs } = await filesOf(stores);
        assert.equal(blobs.length, 1, `life ${life}`);
        assert.ok(blobs[0].length > (life * 30 + 1) * 40 * 64, "points of earlier lives are in it");
        const bound = Math.max(SNAPSHOT_LOG_BYTES, blobs[0].length) + 32_768;
        assert.ok(logBytes < bound, `${logBytes} bytes of log, ${blobs[0].length} of snapshot`);
      }
      assert.ok(snapshots > 2, String(snapshots));
    }));
}

test("a setting that is no number of bytes is refused", async () => {
  for (const snapshotLogBytes of [0, -1, 1.5, Number.NaN, "16384"]) {
    await assert.rejects(open(new MemoryStores(), { snapshotLogBytes }), /whole number of bytes/);
  }
});

test("without a setting a small log is left alone", async () => {
  const stores = new MemoryStores();
  const server = await open(stores);
  await server.query("CREATE DATABASE db");
  for (let round = 0; round < 30; round++) await write(server, round);
  await server.close();
  assert.equal((await filesOf(async () => stores)).blobs.length, 0);
});

for (const [what, isRefused] of [
  ["any part", () => true],
  ["the last part", ([, , , isLast]) => isLast],
]) {
  test(`files: a store that cannot put ${what} of a blob costs nothing and says so`, () =>
    withDirectory(async (directory) => {
      const blobs = join(directory, "databases", "000001", "blobs");
      let isFull = true;
      const full = async () =>
        gated(await FileStores.take(directory), (act, method, position) => {
          if (method !== "put" || !isFull || !isRefused(position)) return act();
          throw new StorageError("no-space", "ENOSPC: the disk is full");
        });
      await withServer(await full(), async (server, reports) => {
        await server.query("CREATE DATABASE db");
        for (let round = 0; round < 30; round++) await write(server, round);
        await until(() => reports.length > 0, "a report");
        for (const report of reports) assert.match(report, /^database db: a snapshot .*ENOSPC/);
        assert.deepEqual(await wholeIn(blobs), []);
      });
      await withServer(await full(), async (server) => {
        assert.deepEqual(await rounds(server), upTo(30));
        isFull = false;
        for (let round = 30; round < 60; round++) await write(server, round);
        await until(async () => (await wholeIn(blobs)).length > 0, "a snapshot");
      });
      await withServer(await FileStores.take(directory), async (server, reports) => {
        assert.deepEqual(await rounds(server), upTo(60));
        assert.deepEqual(reports, []);
      });
    }));
}

test("files: neither opening nor closing waits for a snapshot, only for a part", () =>
  withDirectory(async (directory) => {
    const first = await open(directory);
    await first.query("CREATE DATABASE db");
    for (let round = 0; round < 30; round++) await write(first, round);
    await first.close();
    let puts = 0;
    let release = () => {};
    const slow = gated(await FileStores.take(directory), async (act, method) => {
      if (method === "put") {
        puts++;
        await new Promise((resolve) => (release = resolve));
      }
      return act();
    });
    // A snapshot is due at once, and its first part is not done before this test says so.
    const second = await open(slow, { snapshotLogBytes: SNAPSHOT_LOG_BYTES });
    assert.deepEqual(await rounds(second), upTo(30));
    await until(() => puts === 1, "a part");
    const closing = second.close();
    release();
    await closing;
    assert.equal(puts, 1, "no further part");
    await withServer(await FileStores.take(directory), async (server) => {
      assert.deepEqual(await rounds(server), upTo(30));
    });
  }));

/** What memory stores hold in their one database: a medium to go on from. */
async function copied(before) {
  const stores = new MemoryStores();
  if ((await before.list()).length === 0) return stores;
  const store = await before.open("db");
  const copy = await stores.create("db", store.nodeId);
  for (const { file, length } of await store.files()) {
    const bytes = await store.read(file, 0, length);
    if (file.kind === "blob") await copy.put(file.id, 0, bytes, true);
    else await copy.persist(file.id, 0, bytes, true);
  }
  return stores;
}

test("a process that ends before any one act of its store keeps what it acknowledged", async () => {
  const seen = { persist: 0, put: 0, delete: 0 };
  for (let end = 1; ; end++) {
    let acts = Number.NEGATIVE_INFINITY;
    let isOver = false;
    const stores = gated(new MemoryStores(), (act, method) => {
      if (!isOver && ++acts === end) {
        isOver = true;
        seen[method]++;
      }
      return isOver ? new Promise(() => {}) : act();
    });
    const options = { snapshotLogBytes: SNAPSHOT_LOG_BYTES, report: assert.fail };
    const server = await open(stores, options);
    await server.query("CREATE DATABASE db");
    acts = 0;
    let acknowledged = 0;
    let isStuck = false;
    for (; acknowledged < 24 && !isStuck; acknowledged += isStuck ? 0 : 1) {
      const done = write(server, acknowledged).then(() => "done");
      // Everything but the store that stopped is a matter of a few turns of the event loop.
      const turns = (async () => {
        for (let i = 0; i < 200 && !isOver; i++) await new Promise(setImmediate);
        for (let i = 0; i < 3; i++) await new Promise(setImmediate);
      })();
      isStuck = (await Promise.race([done, turns])) !== "done";
    }
    if (!isOver) {
      await server.close();
      break;
    }
    const after = await copied(stores);
    await withServer(after, async (again, reports) => {
      const found = await rounds(again);
      assert.deepEqual(found.slice(0, acknowledged), upTo(acknowledged), `end ${end}`);
      assert.ok(found.length <= acknowledged + 1, `end ${end}: ${found}`);
      for (let round = 100; round < 108; round++) await write(again, round);
      assert.equal((await rounds(again)).length, found.length + 8);
      assert.deepEqual(reports, []);
    });
  }
  assert.ok(seen.put > 3 && seen.delete > 1 && seen.persist > 10, JSON.stringify(seen));
});

/** Writes rounds from the second argument on, and names each that was acknowledged. */
const WRITER = `
  import { open } from ${JSON.stringify(new URL("../dist/entry/node.js", import.meta.url).href)};
  const body = ${body};
  const [directory, from] = process.argv.slice(-2);
  const server = await open(directory, { snapshotLogBytes: ${SNAPSHOT_LOG_BYTES} });
  await server.query("CREATE DATABASE db");
  for (let round = Number(from); ; round++) {
    const { status } = await server.write({ database: "db" }, body(round));
    if (status === 204) console.log(round);
  }`;

test("files: a process that is killed while snapshots are written loses nothing", () =>
  withDirectory(async (directory) => {
    const blobs = join(directory, "databases", "000001", "blobs");
    let next = 0;
    for (let life = 0; life < 6; life++) {
      const args = ["--input-type=module", "--eval", WRITER, directory, String(next)];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      const exited = once(child, "exit");
      let said = "";
      child.stdout.on("data", (piece) => (said += piece));
      await until(() => said.split("\n").length > 8 + life, "acknowledged rounds");
      child.kill("SIGKILL");
      await exited;
      const acknowledged = said.split("\n").slice(0, -1).map(Number);
      await withServer(directory, async (server, reports) => {
        const found = await rounds(server);
        assert.deepEqual(found, upTo(found.length), `life ${life}`);
        const last = acknowledged.at(-1);
        assert.ok(found.length > last, `${found.length} rounds, ${last} is acknowledged`);
        next = found.length;
        assert.deepEqual(reports, []);
      });
    }
    assert.ok((await wholeIn(blobs)).length > 0, String(await readdir(blobs)));
  }));

test("a damaged snapshot is reported as one, with what it cost; the rest is there", () =>
  withDirectory(async (directory) => {
    const blobs = join(directory, "databases", "000001", "blobs");
    await withServer(directory, async (server) => {
      await server.query("CREATE DATABASE db");
      for (let round = 0; round < 30; round++) await write(server, round);
      await until(async () => (await wholeIn(blobs)).length > 0, "a snapshot");
    });
    // Of two, the older one is to be deleted and nothing else.
    const name = (await wholeIn(blobs)).at(-1);
    const bytes = await readFile(join(blobs, name));
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    await writeFile(join(blobs, name), bytes);
    await withServer(directory, async (server, reports) => {
      assert.equal(reports.length, 1, reports.join("\n"));
      const number = Number.parseInt(name, 16);
      const said = new RegExp(`1 ranges, (\\d+) points lost; .* of snapshot ${number}, .* frames `);
      const [, lost] = said.exec(reports[0]) ?? assert.fail(reports[0]);
      assert.ok(lost > 0, reports[0]);
      const json = await server.query("SELECT v FROM cpu", "db");
      assert.equal(json.results[0].series[0].values.length, 30 * 40 - lost);
      const copies = await readdir(join(directory, "databases", "000001", "quarantine"));
      assert.match(copies.join(), new RegExp(`^blob-${name.slice(0, 16)}-[0-9a-f]+\\.bin$`));
    });
  }));

test("a failure that nobody waits for is recovered from all the same", async () => {
  let isBroken = false;
  let broken = 0;
  const stores = gated(new MemoryStores(), (act, method, [, , , sync]) => {
    if (!isBroken || method !== "persist" || sync) return act();
    broken++;
    throw new StorageError("io", "EIO: a bad sector");
  });
  await withServer(stores, async (server) => {
    await server.query("CREATE DATABASE db");
    isBroken = true;
    await write(server, 0);
    await until(() => broken > 0, "a register write");
    isBroken = false;
    let answer;
    for (let i = 0; i < 100; i++) {
      answer = await server.write({ database: "db" }, body(1));
      if (answer.status === 204) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(answer.status, 204, text(answer));
    assert.deepEqual(await rounds(server), [0, 1]);
  });
});
