// A trap ends the instance of the module, never the databases: they come back from their logs.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStores, open } from "../dist/entry/node.js";

const LINES = "cpu v=1 1000000000\ncpu v=2 2000000000\n";
const text = (answer) => new TextDecoder().decode(answer.body);
const values = (json) => json.results[0].series?.[0].values;

/** Instances made since the start of this process; a trap is an import that throws one. */
let instances = 0;
let trapNow = () => false;
const Instance = WebAssembly.Instance;
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, trapping(imports));
    instances++;
  }
};

function trapping(imports) {
  const wrap = (act) =>
    function (...args) {
      if (trapNow()) throw new WebAssembly.RuntimeError("unreachable");
      return act.apply(this, args);
    };
  const wrapped = ([name, act]) => [name, typeof act === "function" ? wrap(act) : act];
  const each = ([name, group]) => [name, Object.fromEntries(Object.entries(group).map(wrapped))];
  return Object.fromEntries(Object.entries(imports).map(each));
}

/** The next call out of the module traps, in the midst of what called it: nothing is unwound. */
function trapOnce() {
  let armed = true;
  trapNow = () => {
    const now = armed;
    armed = false;
    return now;
  };
}

async function withServer(stores, use) {
  const reports = [];
  const server = await open(stores, { report: (message) => reports.push(message) });
  try {
    await use(server, reports);
  } finally {
    trapNow = () => false;
    await server.close();
  }
}

async function withTwo(stores, use) {
  await withServer(stores, async (server, reports) => {
    for (const database of ["a", "b"]) {
      await server.query(`CREATE DATABASE ${database}`);
      assert.equal((await server.write({ database }, LINES)).status, 204);
    }
    await use(server, reports);
  });
}

test("a request that traps gets 503, and all databases are back for the next one", () =>
  withTwo(new MemoryStores(), async (server, reports) => {
    for (let round = 0; round < 20; round++) {
      trapOnce();
      const lost = await server.write({ database: "a" }, `cpu v=9 ${round + 9}000000000`);
      assert.equal(lost.status, 503);
      assert.match(text(lost), /"error"/);
      assert.ok(lost.headers.some(([name]) => name === "Retry-After"));
      const line = `cpu v=3 ${round + 1000}000000000`;
      const other = await server.write({ database: "b" }, line);
      assert.equal(other.status, 204, text(other));
    }
    assert.deepEqual(values(await server.query("SHOW DATABASES")), [["a"], ["b"]]);
    assert.equal(values(await server.query("SELECT v FROM cpu", "a")).length, 2);
    assert.equal(values(await server.query("SELECT v FROM cpu", "b")).length, 22);
    assert.equal(reports.filter((report) => /trapped/.test(report)).length, 20);
  }));

test("what is not durable when the instance traps is no 204; what is durable stays", async () => {
  const stores = new MemoryStores();
  const gate = {};
  await withTwo(stores, async (server) => {
    const store = await stores.open("a");
    const { persist } = store;
    const entered = new Promise((resolve) => (gate.entered = resolve));
    store.persist = async (...position) => {
      gate.entered();
      await new Promise((resolve) => (gate.open = resolve));
      return persist.apply(store, position);
    };
    const waiting = server.write({ database: "a" }, "cpu v=3 3000000000");
    await entered;
    trapOnce();
    const trapped = server.write({ database: "b" }, "cpu v=4 4000000000");
    store.persist = persist;
    const behind = server.write({ database: "b" }, "cpu v=5 5000000000");
    await new Promise(setImmediate);
    gate.open();
    assert.equal((await waiting).status, 503);
    assert.equal((await trapped).status, 503);
    assert.equal((await behind).status, 204);
    const found = values(await server.query("SELECT v FROM cpu", "b")).map(([, v]) => v);
    assert.deepEqual(found, [1, 2, 5]);
    assert.ok(values(await server.query("SELECT v FROM cpu", "a")).length >= 2);
  });
});

test("a trap between the request and its persist is no 204 either", () =>
  withTwo(new MemoryStores(), async (server) => {
    const writing = server.write({ database: "a" }, "cpu v=3 3000000000");
    // The request is through; the pump's poll comes after the store was awaited.
    trapOnce();
    const answer = await writing;
    assert.equal(answer.status, 503, text(answer));
    assert.equal((await server.write({ database: "b" }, "cpu v=3 3000000000")).status, 204);
    assert.equal((await server.write({ database: "a" }, "cpu v=3 3000000000")).status, 204);
    assert.equal(values(await server.query("SELECT v FROM cpu", "a")).length, 3);
  }));

test("a log that traps whenever it is read closes its database, and no other", async () => {
  const stores = new MemoryStores();
  await withTwo(stores, async () => {});
  const store = await stores.open("a");
  const { read } = store;
  store.read = async (...position) => {
    trapOnce();
    return read.apply(store, position);
  };
  const before = instances;
  await withServer(stores, async (server, reports) => {
    assert.equal(values(await server.query("SELECT v FROM cpu", "b")).length, 2);
    assert.equal((await server.write({ database: "b" }, "cpu v=3 3000000000")).status, 204);
    const closed = await server.write({ database: "a" }, LINES);
    assert.equal(closed.status, 503, text(closed));
    assert.deepEqual(values(await server.query("SHOW DATABASES")), [["a"], ["b"]]);
    assert.ok(instances - before <= 4, `${instances - before} instances`);
    assert.ok(reports.some((report) => /database a: .*closed/.test(report)), reports.join("\n"));
  });
  store.read = read;
  await withServer(stores, async (server) => {
    assert.equal(values(await server.query("SELECT v FROM cpu", "a")).length, 2);
  });
});

test("a database whose creation trapped can be created again", () =>
  withTwo(new MemoryStores(), async (server) => {
    trapOnce();
    await server.query("CREATE DATABASE c");
    assert.deepEqual(values(await server.query("SHOW DATABASES")), [["a"], ["b"]]);
    await server.query("CREATE DATABASE c");
    assert.equal((await server.write({ database: "c" }, LINES)).status, 204);
  }));

test("a trap in one server is nothing to another one of the same process", () =>
  withTwo(new MemoryStores(), (first) =>
    withTwo(new MemoryStores(), async (second, reports) => {
      trapOnce();
      assert.equal((await first.write({ database: "a" }, LINES)).status, 503);
      assert.equal((await second.write({ database: "a" }, LINES)).status, 204);
      assert.equal(values(await second.query("SELECT v FROM cpu", "a")).length, 2);
      assert.deepEqual(reports, []);
    }),
  ));
