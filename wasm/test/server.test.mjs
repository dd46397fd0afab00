// The whole engine in Node: the same requests over memory, over files, and over HTTP.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { FileStores, MemoryStores, StorageError, open } from "../dist/entry/node.js";

const LINES = "cpu,host=a v=1 1000000000\ncpu,host=b v=2 2000000000\n";
const text = (answer) => new TextDecoder().decode(answer.body);
const values = (json) => json.results[0].series?.[0].values;
const quiet = { report: () => {} };

const request = (url, body = "", headers = [], method = "POST") => ({
  method,
  url,
  headers,
  body: typeof body === "string" ? new TextEncoder().encode(body) : body,
});

async function withServer(stores, use) {
  const server = await open(stores, quiet);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

async function withDirectory(use) {
  const directory = await mkdtemp(join(tmpdir(), "tidegate-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("what is written is acknowledged and read back", () =>
  withServer(new MemoryStores(), async (server) => {
    await server.query("CREATE DATABASE db");
    const answer = await server.write({ database: "db" }, LINES);
    assert.equal(answer.status, 204, text(answer));
    assert.deepEqual(answer.headers.find(([name]) => name === "X-Tidegate-Ack"), [
      "X-Tidegate-Ack",
      "memory",
    ]);
    const json = await server.query("SELECT v FROM cpu", "db");
    assert.deepEqual(values(json), [
      ["1970-01-01T00:00:01Z", 1],
      ["1970-01-01T00:00:02Z", 2],
    ]);
  }));

const ackOf = ({ headers }) => headers.find(([name]) => name === "X-Tidegate-Ack")?.[1];

test("files: whatever level is asked for, durable is given and named", () =>
  withDirectory((directory) =>
    withServer(directory, async (server) => {
      await server.query("CREATE DATABASE db");
      for (const ack of [undefined, "memory", "wal", "durable"]) {
        const answer = await server.write({ database: "db", ack }, LINES);
        assert.deepEqual([answer.status, ackOf(answer)], [204, "durable"], text(answer));
        const headers = [["x-tidegate-ack", ack ?? ""]];
        const v2 = await server.handle(request("/api/v2/write?bucket=db", LINES, headers));
        assert.deepEqual([v2.status, ackOf(v2)], [204, "durable"], text(v2));
      }
      const wrong = await server.write({ database: "db", ack: "sure" }, LINES);
      assert.deepEqual([wrong.status, ackOf(wrong)], [400, undefined]);
      assert.match(text(wrong), /invalid acknowledgement level/);
      const health = await server.handle(request("/health", "", [], "GET"));
      assert.match(text(health), /"checks":\[\]/);
    }),
  ));

test("memory: more than memory is refused, not downgraded, and /health tells", () =>
  withServer(new MemoryStores(), async (server) => {
    await server.query("CREATE DATABASE db");
    for (const ack of ["wal", "durable"]) {
      const answer = await server.write({ database: "db", ack }, LINES);
      assert.deepEqual([answer.status, ackOf(answer)], [501, undefined], text(answer));
      assert.match(text(answer), /nothing was written/);
    }
    assert.equal(values(await server.query("SELECT v FROM cpu", "db")), undefined);
    const answer = await server.write({ database: "db", ack: "memory" }, LINES);
    assert.deepEqual([answer.status, ackOf(answer)], [204, "memory"]);
    const health = await server.handle(request("/health", "", [], "GET"));
    assert.equal(health.status, 200);
    assert.match(text(health), /storage keeps points in memory only/);
  }));

test("the server's own paths answer without a database", () =>
  withServer(new MemoryStores(), async (server) => {
    assert.equal((await server.handle(request("/ping", "", [], "GET"))).status, 204);
    assert.equal((await server.handle(request("/health", "", [], "GET"))).status, 200);
    assert.equal((await server.handle(request("/nowhere", "", [], "GET"))).status, 404);
    const missing = await server.write({ database: "none" }, LINES);
    assert.equal(missing.status, 404);
    assert.match(text(missing), /database not found: \\"none\\"/);
  }));

test("a compressed body is the body it was; a broken one is refused", () =>
  withServer(new MemoryStores(), async (server) => {
    await server.query("CREATE DATABASE db");
    const gzip = [["Content-Encoding", "gzip"]];
    const good = await server.handle(request("/write?db=db", gzipSync(LINES), gzip));
    assert.equal(good.status, 204, text(good));
    const broken = await server.handle(request("/write?db=db", LINES, gzip));
    assert.equal(broken.status, 400);
    assert.match(text(broken), /gzip: invalid header/);
    assert.equal(values(await server.query("SELECT v FROM cpu", "db")).length, 2);
  }));

test("a bad line is reported and the good ones are stored", () =>
  withServer(new MemoryStores(), async (server) => {
    await server.query("CREATE DATABASE db");
    const answer = await server.write({ database: "db" }, `${LINES}nonsense\n`);
    assert.equal(answer.status, 400);
    assert.match(text(answer), /partial write: unable to parse 'nonsense'/);
    assert.equal(values(await server.query("SELECT v FROM cpu", "db")).length, 2);
  }));

test("databases come and go, also within one request", () =>
  withServer(new MemoryStores(), async (server) => {
    await server.query("CREATE DATABASE a; CREATE DATABASE b; DROP DATABASE a");
    assert.deepEqual(values(await server.query("SHOW DATABASES")), [["b"]]);
    await server.write({ database: "b" }, LINES);
    await server.query("DROP DATABASE b; CREATE DATABASE b");
    assert.equal(values(await server.query("SELECT v FROM cpu", "b")), undefined);
    assert.equal((await server.write({ database: "b" }, LINES)).status, 204);
  }));

test("files: a closed server is found again as it was", () =>
  withDirectory(async (directory) => {
    await withServer(directory, async (server) => {
      await server.query("CREATE DATABASE db");
      assert.equal((await server.write({ database: "db" }, LINES)).status, 204);
    });
    await withServer(directory, async (server) => {
      assert.equal(values(await server.query("SELECT v FROM cpu", "db")).length, 2);
      await server.query("DROP DATABASE db");
    });
    await withServer(directory, async (server) => {
      assert.equal(values(await server.query("SHOW DATABASES")), undefined);
    });
  }));

test("files: a database whose creation was cut short is not there", () =>
  withDirectory(async (directory) => {
    const stores = await FileStores.take(directory);
    await stores.create("half", new Uint8Array(16));
    await withServer(stores, async (server) => {
      assert.equal(values(await server.query("SHOW DATABASES")), undefined);
      await server.query("CREATE DATABASE half");
      assert.equal((await server.write({ database: "half" }, LINES)).status, 204);
    });
  }));

for (const [what, broken] of [
  ["a read of its log", "read"],
  ["the listing of its log", "files"],
]) {
  test(`files: a database is kept, and found again, when ${what} fails at the start`, () =>
    withDirectory(async (directory) => {
      await withServer(directory, async (server) => {
        await server.query("CREATE DATABASE db");
        assert.equal((await server.write({ database: "db" }, LINES)).status, 204);
      });
      const stores = await FileStores.take(directory);
      const { open: openStore } = stores;
      let failing = true;
      stores.open = async (name) => {
        const store = await openStore.call(stores, name);
        const method = store[broken];
        store[broken] = async (...position) => {
          if (failing) throw new StorageError("no-space", "EMFILE: too many open files");
          return method.apply(store, position);
        };
        return store;
      };
      await withServer(stores, async (server) => {
        const early = await server.write({ database: "db" }, LINES);
        assert.equal(early.status, 503, text(early));
        failing = false;
        let json;
        for (let i = 0; i < 200; i++) {
          json = await server.query("SELECT v FROM cpu", "db");
          if (values(json) !== undefined) break;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        assert.equal(values(json)?.length, 2, JSON.stringify(json));
      });
    }));
}

test("files: a database whose creation left an empty segment behind is not there", () =>
  withDirectory(async (directory) => {
    const stores = await FileStores.take(directory);
    await stores.create("half", new Uint8Array(16));
    await writeFile(join(directory, "databases", "000001", "wal", "0000000000000001.wal"), "");
    await withServer(stores, async (server) => {
      assert.equal(values(await server.query("SHOW DATABASES")), undefined);
      await server.query("CREATE DATABASE half");
    });
  }));

test("many writers at once all become durable", () =>
  withDirectory((directory) =>
    withServer(directory, async (server) => {
      await server.query("CREATE DATABASE db");
      const writes = Array.from({ length: 500 }, (_, i) =>
        server.write({ database: "db" }, `m,writer=${i} v=${i} ${i + 1}`),
      );
      for (const answer of await Promise.all(writes)) assert.equal(answer.status, 204);
      const json = await server.query("SELECT v FROM m", "db");
      assert.equal(values(json).length, 500);
    }),
  ));

/** Fails the persists that `failing` says, as a disk would. */
class FailingStores extends MemoryStores {
  failing = () => false;

  async create(database, nodeId) {
    return this.#wrapped(await super.create(database, nodeId));
  }

  async open(database) {
    return this.#wrapped(await super.open(database));
  }

  #wrapped(store) {
    const persist = async (...position) => {
      if (this.failing()) throw new StorageError("io", "the disk is gone");
      return store.persist(...position);
    };
    return Object.create(store, {
      nodeId: { value: store.nodeId },
      files: { value: () => store.files() },
      persist: { value: persist },
      put: { value: (...position) => store.put(...position) },
      read: { value: (...position) => store.read(...position) },
      delete: { value: (file) => store.delete(file) },
      quarantine: { value: () => store.quarantine() },
      close: { value: () => store.close() },
    });
  }
}

test("a failed persist is no 204, and the database comes back from its log", async () => {
  const stores = new FailingStores();
  await withServer(stores, async (server) => {
    await server.query("CREATE DATABASE db");
    assert.equal((await server.write({ database: "db" }, LINES)).status, 204);
    stores.failing = () => true;
    const lost = await server.write({ database: "db" }, "cpu,host=c v=3 3000000000");
    assert.equal(lost.status, 503, text(lost));
    stores.failing = () => false;
    let answer;
    for (let i = 0; i < 100; i++) {
      answer = await server.write({ database: "db" }, "cpu,host=d v=4 4000000000");
      if (answer.status === 204) break;
      assert.equal(answer.status, 503, text(answer));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(answer.status, 204);
    const found = values(await server.query("SELECT v FROM cpu", "db")).map(([, v]) => v);
    assert.ok([1, 2, 4].every((v) => found.includes(v)), String(found));
  });
});

test("fetch: a Web-standard request gets a Web-standard response", () =>
  withServer(new MemoryStores(), async (server) => {
    const post = (path, body) =>
      server.fetch(new Request(`http://localhost${path}`, { method: "POST", body }));
    assert.equal((await post("/query", new URLSearchParams({ q: "CREATE DATABASE db" }))).status, 200);
    assert.equal((await post("/write?db=db", LINES)).status, 204);
    const query = new URLSearchParams({ db: "db", q: "SELECT v FROM cpu", epoch: "s" });
    const response = await server.fetch(new Request(`http://localhost/query?${query}`));
    assert.deepEqual(values(await response.json()), [[1, 1], [2, 2]]);
  }));

const SERVER = fileURLToPath(new URL("../dist/server/node.js", import.meta.url));

/** A server process on a free port; resolves once it listens. */
async function started(directory) {
  const child = spawn(process.execPath, [SERVER, "--data", directory, "--http", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return { child, url: /127\.0\.0\.1:\d+/.exec(String(line))[0] };
}

test("kill -9: what was acknowledged over HTTP is there after the next start", () =>
  withDirectory(async (directory) => {
    let acknowledged = 0;
    for (let round = 0; round < 3; round++) {
      const { child, url } = await started(directory);
      try {
        await fetch(`http://${url}/query?q=CREATE+DATABASE+db`, { method: "POST" });
        const before = await fetch(`http://${url}/query?db=db&q=SELECT+v+FROM+m`);
        const count = values(await before.json())?.length ?? 0;
        assert.ok(count >= acknowledged, `${count} of ${acknowledged} acknowledged points`);
        for (let i = 0; i < 50; i++) {
          const body = `m v=${i} ${round * 1000 + i + 1}`;
          const { status } = await fetch(`http://${url}/write?db=db`, { method: "POST", body });
          assert.equal(status, 204);
          acknowledged++;
        }
      } finally {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }
    }
    const stores = await FileStores.take(directory);
    await withServer(stores, async (server) => {
      const json = await server.query("SELECT v FROM m", "db");
      assert.equal(values(json).length, acknowledged);
    });
  }));
