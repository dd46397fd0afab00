// What both Node scripts share: settings, texts, checks as JSON lines, plain reads.

import { createRequire } from "node:module";
import { isDeepStrictEqual, inspect } from "node:util";

// The clients are installed beside tests/js/package.json, not beside these scripts.
export const require = createRequire(new URL("../js/package.json", import.meta.url));
export const settings = JSON.parse(process.argv[2]);

export const BASE_S = 1_699_999_200;
export const NASTY =
  'say "hi", a=b \\ c\\n, tab\there, comma, é 漢 \u{1f980} \'q\' #x';
export const FLOATS = [
  -1.5, 0, 1e-300, -2.5e-7, 1.7976931348623157e308, 5e-324, 1e21, 123456789.12345679, 0.1,
];

/** One check; the detail is shown if it failed. */
export function check(name, passed, detail = "") {
  console.log(JSON.stringify({ name, passed: Boolean(passed), detail: passed ? "" : detail }));
}

/** Passes if both are deeply and strictly equal. */
export function equal(name, got, want) {
  check(name, isDeepStrictEqual(got, want), `got ${shown(got)}, want ${shown(want)}`);
}

const shown = (value) => inspect(value, { maxArrayLength: 20, breakLength: Infinity });

/** Not run, and why. */
export function skip(name, detail) {
  console.log(JSON.stringify({ name, skipped: true, detail }));
}

/** Run a group; what it throws is one failed check. */
export async function attempt(name, group) {
  try {
    await group();
  } catch (error) {
    check(name, false, String(error?.stack ?? error).slice(0, 600));
  }
}

/** Passes if the promise is refused with the status and the text. */
export async function refused(name, promise, status, text) {
  try {
    await promise;
    check(name, false, "nothing was thrown");
  } catch (error) {
    const got = error.statusCode ?? error.res?.statusCode;
    const message = `${error.message} ${error.body ?? ""}`;
    check(name, got === status && message.includes(text), `${got} ${message}`);
  }
}

/** Rows of one statement over plain HTTP; integers as text, so that none loses a digit. */
export async function query(statement, db = "", method = "GET") {
  const params = new URLSearchParams({ q: statement, db, epoch: "ns" });
  const response = await fetch(`${settings.url}/query?${params}`, { method });
  const text = await response.text();
  const exact = text.replace(/([[,])(-?\d{16,})(?=[,\]])/g, '$1"$2"');
  const result = JSON.parse(exact).results[0];
  if (result.error) throw new Error(result.error);
  return (result.series ?? []).flatMap((series) =>
    (series.values ?? []).map((values) => ({
      ...series.tags,
      ...Object.fromEntries(series.columns.map((name, i) => [name, values[i]])),
    })),
  );
}
