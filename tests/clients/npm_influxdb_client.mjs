// npm `@influxdata/influxdb-client` 1.35.0: the 2.x client on /api/v2/write.
// It queries in Flux only, so what it wrote is read back by /query.

import { setTimeout as sleep } from "node:timers/promises";

import { BASE_S, FLOATS, NASTY, attempt, check, equal, query, refused, require, settings, skip }
  from "./checks.mjs";

const { InfluxDB, Point } = require("@influxdata/influxdb-client");
const DB = "npm_v2";
const INTEGERS = [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
// The client's own integers are doubles; lines made elsewhere are not.
const WIDE = ["9007199254740993", "9223372036854775807", "-9223372036854775808"];
const TEXTS = [NASTY, "", "\\", '"', "a,b=c d", "two\nlines"];

function writer(bucket, precision, options) {
  const influx = new InfluxDB({ url: settings.url, token: "someone:secret", timeout: 30_000 });
  return influx.getWriteApi("-", bucket, precision, { maxRetries: 0, ...options });
}

async function values(word, gzipThreshold) {
  const api = writer(`${DB}/autogen`, "ns", { gzipThreshold });
  const measurement = `values, ${word}`;
  let n = 0;
  const point = () =>
    new Point(measurement).tag("kind name", "x y,z=é").timestamp(`${BASE_S}00000000${n++ % 10}`)
      .tag("n", String(n).padStart(3, "0"));
  for (const value of FLOATS) api.writePoint(point().floatField("f", value));
  for (const value of INTEGERS) api.writePoint(point().intField("i", value));
  for (const value of WIDE) {
    api.writeRecord(`values\\,\\ ${word},n=w${n} wide=${value}i ${BASE_S}00000000${n++ % 10}`);
  }
  for (const value of TEXTS) api.writePoint(point().stringField("s", value));
  for (const value of [true, false]) api.writePoint(point().booleanField("b", value));
  await api.close();
  const rows = await query(`SELECT * FROM "${measurement}"`, DB);
  rows.sort((a, b) => a.n.localeCompare(b.n));
  const column = (name) => rows.map((row) => row[name]).filter((value) => value !== null);
  equal(`${word} floats come back equal`, column("f").map(Number), FLOATS);
  equal(`${word} integers come back equal`, column("i").map(Number), INTEGERS);
  equal(`${word} integers beyond 2^53 come back equal`, column("wide"), WIDE);
  equal(`${word} strings with newlines come back equal`, column("s"), TEXTS);
  equal(`${word} booleans come back equal`, column("b"), [true, false]);
  equal(`${word} tags come back equal`, rows[0]["kind name"], "x y,z=é");
}

async function precisions() {
  const perSecond = { ns: 1e9, us: 1e6, ms: 1e3, s: 1 };
  for (const [precision, per] of Object.entries(perSecond)) {
    const api = writer(`${DB}/autogen`, precision);
    api.writePoint(new Point(`precision_${precision}`).intField("v", 1)
      .timestamp(String(BigInt(BASE_S) * BigInt(per) + 1n)));
    api.writePoint(new Point(`dated_${precision}`).intField("v", 1)
      .timestamp(new Date(BASE_S * 1000 + 123)));
    await api.close();
    const [row] = await query(`SELECT v FROM precision_${precision}`, DB);
    const unitNs = 1_000_000_000n / BigInt(per);
    equal(`precision ${precision}`, row.time, String(BigInt(BASE_S) * 1_000_000_000n + unitNs));
    const [dated] = await query(`SELECT v FROM dated_${precision}`, DB);
    equal(`a Date at precision ${precision}`, dated.time,
      precision === "s" ? `${BASE_S}000000000` : `${BASE_S}123000000`);
  }
}

async function batches() {
  for (const [word, gzipThreshold] of [["plain", 1e9], ["gzip", 1]]) {
    let stored = 0;
    const api = writer(`${DB}/other`, "ms", {
      gzipThreshold, batchSize: 300, flushInterval: 50,
      writeSuccess: (lines) => (stored += lines.length),
    });
    for (let i = 0; i < 5_000; i++) {
      api.writePoint(new Point(`batch_${word}`).tag("host", `h${i % 10}`)
        .floatField("v", i * 0.1).timestamp(BASE_S * 1000 + i));
    }
    await api.close();
    // close() waits for the last batch only.
    for (let waits = 0; stored < 5_000 && waits < 200; waits++) await sleep(50);
    equal(`${word} every batch is reported as stored`, stored, 5_000);
    const rows = await query(`SELECT v FROM other.batch_${word}`, DB);
    equal(`${word} 5000 points in batches, bucket db/rp`, rows.map((row) => row.v),
      Array.from({ length: 5_000 }, (_, i) => i * 0.1));
  }
  const api = writer(DB, "s");
  api.writeRecord(`bare v=1i ${BASE_S}`);
  api.writePoint(new Point("clock").intField("v", 1));
  api.writePoint(new Point("defaulted").tag("host", "a").booleanField("b", true)
    .timestamp(BASE_S));
  await api.close();
  equal("a bucket without a policy is the default one",
    (await query("SELECT v FROM autogen.bare", DB)).length, 1);
}

async function errors() {
  await query("CREATE DATABASE npm_v2_errors", "", "POST");
  const send = async (bucket, point) => {
    const api = writer(bucket, "ns", { writeFailed: () => {} });
    api.writePoint(point);
    try {
      await api.flush();
    } finally {
      await api.close().catch(() => {});
    }
  };
  await refused("a bucket of no database is a 404", send("nowhere/autogen",
    new Point("m").intField("v", 1)), 404, "database not found");
  // Releases of 1.x are built without unsigned support.
  await refused("an unsigned field is a 400", send("npm_v2_errors/autogen",
    new Point("m").uintField("v", 3)), 400, "invalid number");
}

await query(`CREATE DATABASE ${DB}`, "", "POST");
await query(`CREATE RETENTION POLICY other ON ${DB} DURATION 0s REPLICATION 1`, "", "POST");
await attempt("plain values", () => values("plain", 1e9));
await attempt("gzip values", () => values("gzip", 1));
await attempt("precisions", precisions);
await attempt("batches", batches);
await attempt("errors", errors);
if (settings.hasV2) {
  const { status } = await fetch(`${settings.url}/health`);
  check("health answers 200", status === 200, String(status));
} else {
  skip("health", "this server has no /health");
}
