#!/usr/bin/env node
/** `node server/node.js --data DIR --http ADDR:PORT`: the engine behind a Node HTTP server. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs, promisify } from "node:util";
import { gzip } from "node:zlib";

import { open, type ServerAnswer, type Tidegate } from "../entry/node.js";

/** Beyond the engine's own limit, so that it is the engine that refuses. */
const BODY_BYTES_MAX = 26_000_000;

/** How long requests in flight may take at the end. */
const STOP_TIMEOUT_MS = 5_000;

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "./tidegate-data" },
    http: { type: "string", default: "127.0.0.1:8086" },
  },
});
const colon = values.http.lastIndexOf(":");
const [host, port] = [values.http.slice(0, colon), Number(values.http.slice(colon + 1))];
const tidegate = await open(values.data);
const server = createServer((request, response) => {
  serve(tidegate, request, response).catch((error: unknown) => {
    // Not a trap, from which the server recovers by itself: a mistake of ours with this request.
    console.error(error);
    if (!response.headersSent) response.statusCode = 500;
    response.end();
  });
});
server.listen(port, host, () => {
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  console.log(`tidegate: listening on ${host}:${bound}, data in ${values.data}`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());

async function stop(): Promise<void> {
  server.closeIdleConnections();
  // A connection that never sent a request does not count as idle.
  setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS).unref();
  await new Promise((resolve) => server.close(resolve));
  await tidegate.close();
}

async function serve(
  tidegate: Tidegate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await received(request);
  if (body === undefined) return;
  const { method = "GET" } = request;
  // What is beyond ASCII comes one character a byte.
  const url = (request.url ?? "/").replace(/["#<>\u0080-\u00ff]/g, escaped);
  const answer = await tidegate.handle({ method, url, headers: pairs(request.rawHeaders), body });
  send(response, await packed(request, url, answer));
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** What a query gives is compressed for who asks, as InfluxDB does it. */
async function packed(
  request: IncomingMessage,
  url: string,
  answer: ServerAnswer,
): Promise<ServerAnswer> {
  const accepted = String(request.headers["accept-encoding"] ?? "").includes("gzip");
  if (!accepted || answer.status !== 200 || !/^\/query($|\?)/.test(url)) return answer;
  // An OPTIONS request is answered without rows.
  if (request.method === "OPTIONS") return answer;
  const headers: [string, string][] = [...answer.headers, ["Content-Encoding", "gzip"]];
  return { ...answer, headers, body: await promisify(gzip)(answer.body) };
}

/** The body, cut where it is too long anyway; undefined if the client went away. */
async function received(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of request as AsyncIterable<Uint8Array>) {
      if (length > BODY_BYTES_MAX) continue;
      pieces.push(piece);
      length += piece.length;
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(pieces, length);
}

function pairs(raw: string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([raw[i]!, raw[i + 1]!]);
  return headers;
}

function send(response: ServerResponse, answer: ServerAnswer): void {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) response.appendHeader(name, value);
  response.end(answer.body);
}
