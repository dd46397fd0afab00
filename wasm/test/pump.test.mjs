// The pump against a scripted engine: what it performs, whom it wakes, when it gives up.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Pump } from "../dist/pump.js";
import { StorageError } from "../dist/types.js";

const PERSIST = 1;
const READ = 2;
const DELETE = 3;
const PUT = 5;

function record(kind, id, upTo = 0n, file = 1) {
  const view = new DataView(new ArrayBuffer(48));
  view.setUint8(0, kind);
  view.setUint8(1, 1);
  view.setUint8(2, file);
  [id, 1n, 0n, 1n, upTo].forEach((n, i) => view.setBigUint64(8 + 8 * i, n, true));
  return new Uint8Array(view.buffer);
}

/** All that was written before a poll goes out as one persist, as in the real engine. */
class Script {
  accepted = 0n;
  submitted = 0n;
  lsn = 0n;
  state = "running";
  reports = [];
  reads = [];
  /** What the engine asks for when it has nothing to persist, as arguments of `record`. */
  rest = [];
  putting = false;
  phase = () => this.state;
  durable = () => this.lsn;
  effectBytes = () => new Uint8Array(1);
  poll() {
    if (this.reads.length > 0) return record(READ, this.reads.shift());
    if (this.submitted === this.accepted || this.state !== "running") return this.pollRest();
    this.submitted = this.accepted;
    return record(PERSIST, 100n + this.submitted, this.submitted);
  }
  /** One part at a time, and nothing else before it. */
  pollRest() {
    if (this.putting || this.rest.length === 0) return undefined;
    const [kind, id, ...others] = this.rest.shift();
    if (kind === PUT) this.putting = id;
    return record(kind, id, 0n, ...others);
  }
  complete(id, fault) {
    this.reports.push([id, fault]);
    if (id === this.putting) this.putting = false;
    if (id < 100n) return;
    if (fault === 0) this.lsn = id - 100n;
    else this.state = "poisoned";
  }
  supply(id, fault, bytes) {
    this.reports.push([id, fault, bytes.length]);
  }
}

function storeWith(overrides) {
  return Promise.resolve({ persist: async () => {}, ...overrides });
}

test("a ticket resolves when its persist is reported, and writers share persists", async () => {
  const engine = new Script();
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  const pump = new Pump(engine, storeWith({ persist: () => gate }));
  const done = [];
  for (const ticket of [1n, 2n, 3n]) {
    engine.accepted = ticket;
    pump.durable(ticket).then(() => done.push(ticket));
    await new Promise(setImmediate);
  }
  assert.deepEqual(done, []);
  open();
  await pump.durable(3n);
  assert.deepEqual(done, [1n, 2n, 3n]);
  assert.deepEqual(engine.reports, [[101n, 0], [103n, 0]]);
});

test("a write that arrives as the loop ends is not forgotten", async () => {
  const engine = new Script();
  const pump = new Pump(engine, storeWith({}));
  for (let ticket = 1n; ticket <= 200n; ticket++) {
    engine.accepted = ticket;
    const waits = pump.durable(ticket);
    for (let i = 0; i < Number(ticket % 7n); i++) await null;
    await waits;
  }
});

test("a fault of the store is reported with its code, and all who wait are told", async () => {
  const engine = new Script();
  const persist = async () => {
    throw new StorageError("no-space", "full");
  };
  const pump = new Pump(engine, storeWith({ persist }));
  engine.accepted = 1n;
  await assert.rejects(pump.durable(1n), { name: "NotDurableError" });
  assert.deepEqual(engine.reports, [[101n, 1]]);
  assert.ok(pump.ended);
  await assert.rejects(pump.durable(2n), { name: "NotDurableError" });
});

test("bytes that are read are supplied, and so is the news that they are lost", async () => {
  const engine = new Script();
  engine.reads = [1n, 2n];
  let calls = 0;
  const read = async () => {
    if (calls++ === 1) throw new StorageError("unreadable", "a bad sector");
    return new Uint8Array(5);
  };
  await new Pump(engine, storeWith({ read })).run();
  assert.deepEqual(engine.reports, [[1n, 0, 5], [2n, 3, 0]]);
});

for (const fault of ["no-space", "io", "fenced"]) {
  test(`a read that fails for the moment (${fault}) ends the pump and is no damage`, async () => {
    const engine = new Script();
    engine.reads = [1n];
    const read = async () => {
      throw new StorageError(fault, "not now");
    };
    const pump = new Pump(engine, storeWith({ read }));
    await pump.run();
    assert.deepEqual(engine.reports, []);
    assert.ok(pump.ended);
    assert.match(String(pump.lastFault), /not now/);
  });
}

test("files go to the store as what they are, and what fails without harm is told", async () => {
  const engine = new Script();
  engine.rest = [[PUT, 1n, 2], [DELETE, 2n, 1], [DELETE, 3n, 2], [PUT, 4n, 2]];
  const [calls, reports] = [[], []];
  const put = async (...position) => void calls.push(["put", ...position]);
  const remove = async ({ kind, id }) => {
    calls.push([kind, id]);
    if (kind === "blob") throw new StorageError("io", "a bad sector");
  };
  const store = storeWith({ put, delete: remove });
  const pump = new Pump(engine, store, (message) => reports.push(message));
  void pump.run();
  for (let i = 0; i < 100 && engine.reports.length < 4; i++) await new Promise(setImmediate);
  const part = ["put", 1n, 0, new Uint8Array(1), true];
  assert.deepEqual(calls, [part, ["segment", 1n], ["blob", 1n], part]);
  assert.deepEqual(engine.reports, [[1n, 0], [2n, 0], [3n, 4], [4n, 0]]);
  assert.equal(reports.length, 1);
  assert.match(reports[0], /could not be deleted: .*a bad sector/);
});

test("a slow part of a snapshot holds up no writer, and a stop waits for it", async () => {
  const engine = new Script();
  engine.rest = [[PUT, 1n, 2], [PUT, 2n, 2]];
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  let puts = 0;
  const put = () => {
    puts++;
    return gate;
  };
  const pump = new Pump(engine, storeWith({ put }));
  await pump.run();
  for (const ticket of [1n, 2n, 3n]) {
    engine.accepted = ticket;
    await pump.durable(ticket);
  }
  assert.deepEqual(engine.reports, [[101n, 0], [102n, 0], [103n, 0]]);
  let isStopped = false;
  const stopped = pump.stop("closing").then(() => (isStopped = true));
  await new Promise(setImmediate);
  assert.ok(!isStopped);
  open();
  await stopped;
  assert.equal(puts, 1);
  assert.equal(engine.reports.length, 3, "nobody is left to report to");
  await pump.whenEnded;
});

test("what is handed out beside a persist is performed after it", async () => {
  const engine = new Script();
  engine.rest = [[DELETE, 1n, 1], [DELETE, 2n, 2]];
  engine.accepted = 1n;
  await new Pump(engine, storeWith({ delete: async () => {} })).run();
  assert.deepEqual(engine.reports, [[101n, 0], [1n, 0], [2n, 0]]);
});

test("a pump that fails has ended when the part under way is done with the store", async () => {
  const engine = new Script();
  engine.rest = [[PUT, 1n, 2]];
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  const persist = async () => {
    throw new StorageError("io", "a bad sector");
  };
  const pump = new Pump(engine, storeWith({ persist, put: () => gate }));
  engine.accepted = 1n;
  let isDone = false;
  void pump.whenEnded.then(() => (isDone = true));
  await assert.rejects(pump.durable(1n), { name: "NotDurableError" });
  await new Promise(setImmediate);
  assert.ok(pump.ended && !isDone);
  open();
  await pump.whenEnded;
});

test("writers that never pause hold up no snapshot", async () => {
  const engine = new Script();
  engine.rest = Array.from({ length: 20 }, (_, id) => [PUT, BigInt(id + 1), 2]);
  const pump = new Pump(engine, storeWith({ put: async () => {} }));
  // The next write is there before the persist of the last one is reported.
  engine.accepted = 1n;
  const { complete } = engine;
  engine.complete = (id, fault) => {
    if (id > 100n && engine.rest.length > 0 && engine.accepted < 100n) engine.accepted++;
    complete.call(engine, id, fault);
  };
  await pump.run();
  assert.deepEqual(engine.rest, []);
  assert.ok(engine.accepted < 100n, `${engine.accepted} writes`);
});

test("a store that cannot be made ends the pump", async () => {
  const engine = new Script();
  const pump = new Pump(engine, Promise.reject(new Error("no room for a directory")));
  engine.accepted = 1n;
  await assert.rejects(pump.durable(1n), { name: "NotDurableError" });
});

test("a stopped pump reports nothing more to an engine that may be gone", async () => {
  const engine = new Script();
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  const pump = new Pump(engine, storeWith({ persist: () => gate }));
  engine.accepted = 1n;
  const waits = assert.rejects(pump.durable(1n), /dropped/);
  await new Promise(setImmediate);
  const stopped = pump.stop("dropped");
  open();
  await stopped;
  await waits;
  assert.deepEqual(engine.reports, []);
});
