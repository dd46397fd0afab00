// npm `influx` 5.12.0, the 1.x client of most JavaScript programs.

import { BASE_S, FLOATS, NASTY, attempt, check, equal, refused, require, settings }
  from "./checks.mjs";

const { FieldType, InfluxDB, toNanoDate } = require("influx");
const DB = "npm_influx";

const influx = new InfluxDB({
  host: settings.host,
  port: settings.port,
  database: DB,
  schema: [
    {
      measurement: "typed_values",
      tags: ["kind name", "n"],
      fields: {
        f: FieldType.FLOAT,
        i: FieldType.INTEGER,
        s: FieldType.STRING,
        b: FieldType.BOOLEAN,
      },
    },
  ],
});

async function admin() {
  const hosts = await influx.ping(5_000);
  check("ping finds the host online", hosts.length === 1 && hosts[0].online, String(hosts[0]?.url));
  await influx.createDatabase(DB);
  await influx.createDatabase(DB);
  const names = await influx.getDatabaseNames();
  equal("createDatabase twice is listed once", names.filter((name) => name === DB).length, 1);
  await influx.createRetentionPolicy("other", { database: DB, duration: "INF", replication: 1 });
  const policies = await influx.showRetentionPolicies(DB);
  equal("showRetentionPolicies", policies.map((row) => [row.name, row.default]), [
    ["autogen", true],
    ["other", false],
  ]);
}

async function values() {
  const fields = [
    ...FLOATS.map((f) => ({ f })),
    ...[0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER].map((i) => ({ i })),
    ...[NASTY, "", '"', "a,b=c d", "two\nlines", "end\\"].map((s) => ({ s })),
    { b: true },
    { b: false },
  ];
  await influx.writePoints(
    fields.map((field, i) => ({
      measurement: "typed_values",
      tags: { "kind name": "x y,z=é", n: String(i) },
      fields: field,
      timestamp: toNanoDate(`${BASE_S}${String(i).padStart(9, "0")}`),
    })),
  );
  const rows = await influx.query('SELECT * FROM typed_values');
  equal(
    "floats, integers, strings with newlines, booleans come back equal",
    rows.map((row, i) => ({ [Object.keys(fields[i])[0]]: row[Object.keys(fields[i])[0]] })),
    fields,
  );
  equal("tags come back equal", rows[0]["kind name"], "x y,z=é");
  equal("nanosecond times come back equal", rows[7].time.getNanoTime(), `${BASE_S}000000007`);
}

async function precisions() {
  const units = { n: 1_000_000, u: 1_000, ms: 1, s: 0.001, m: 0.001 / 60, h: 0.001 / 3600 };
  for (const [precision, perMs] of Object.entries(units)) {
    const timestamp = new Date((BASE_S + 3_661) * 1000 + 123);
    await influx.writeMeasurement(`precision_${precision}`, [{ fields: { v: 1.5 }, timestamp }], {
      precision,
    });
    const [row] = await influx.query(`SELECT v FROM precision_${precision}`);
    const unitMs = Math.max(1, Math.round(1 / perMs));
    equal(`precision ${precision}`, row.time.getTime(), Math.floor(timestamp / unitMs) * unitMs);
  }
  await influx.writeMeasurement("clock", [{ tags: { host: "a" }, fields: { v: 1 } }]);
  const [row] = await influx.query("SELECT v FROM clock");
  check("a point without a time gets the server's", Math.abs(row.time - Date.now()) < 60_000);
}

async function policies() {
  const point = { measurement: "kept", fields: { v: 2 }, timestamp: new Date(BASE_S * 1000) };
  await influx.writePoints([point], { retentionPolicy: "other" });
  const rows = await influx.query("SELECT v FROM other.kept");
  equal("a point in a named policy", rows.map((row) => row.v), [2]);
  const none = await influx.query("SELECT v FROM kept");
  equal("the default policy does not have it", none.length, 0);
}

async function batches() {
  const points = Array.from({ length: 5_000 }, (_, i) => ({
    measurement: "batch",
    tags: { host: `h${i % 10}` },
    fields: { v: i * 0.1 },
    timestamp: new Date(BASE_S * 1000 + i),
  }));
  for (let i = 0; i < points.length; i += 500) {
    await influx.writePoints(points.slice(i, i + 500), { precision: "ms" });
  }
  const rows = await influx.query("SELECT v FROM batch");
  equal("5000 points in batches", rows.map((row) => row.v), points.map((point) => point.fields.v));
  const grouped = await influx.query("SELECT v FROM batch GROUP BY host LIMIT 2");
  equal("groups of a GROUP BY", grouped.groups().map((group) => group.tags.host),
    Array.from({ length: 10 }, (_, i) => `h${i}`));
  const placed = await influx.query("SELECT v FROM batch WHERE host = $host LIMIT 1", {
    placeholders: { host: "h3" },
  });
  equal("placeholders", placed.map((row) => row.v), [3 * 0.1]);
  const names = await influx.getMeasurements();
  check("getMeasurements", ["batch", "typed_values"].every((name) => names.includes(name)));
  const series = await influx.getSeries({ measurement: "batch" });
  equal("getSeries", series, Array.from({ length: 10 }, (_, i) => `batch,host=h${i}`));
}

async function errors() {
  await influx.createDatabase("npm_errors");
  const line = { measurement: "m", fields: { v: 1 }, timestamp: new Date(0) };
  await influx.writePoints([line], { database: "npm_errors" });
  await refused("a missing database is a 404", influx.writePoints([line], { database: "nowhere" }),
    404, "database not found");
  await refused("a type conflict is a 400",
    influx.writePoints([{ ...line, fields: { v: "x" } }], { database: "npm_errors" }),
    400, "field type conflict");
  await refused("a syntax error is a 400", influx.query("SELECT FROM"), 400, "error parsing query");
  await influx.createDatabase("npm_dropped");
  await influx.dropDatabase("npm_dropped");
  check("dropDatabase", !(await influx.getDatabaseNames()).includes("npm_dropped"));
}

await attempt("admin", admin);
await attempt("values", values);
await attempt("precisions", precisions);
await attempt("policies", policies);
await attempt("batches", batches);
await attempt("errors", errors);
