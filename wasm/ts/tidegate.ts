/** A server of databases: requests in, answers out once they are true. */

import { wallClock } from "./clock.js";
import { Database, type Surroundings } from "./database.js";
import type { Change } from "./face.js";
import { initSync, Server } from "./wasm/tidegate.js";
import type { ServerAnswer, ServerOptions, ServerRequest, Store, Stores } from "./types.js";

/** How a client says what a body belongs to. */
export interface WriteTarget {
  database: string;
  retentionPolicy?: string;
  precision?: "n" | "u" | "ms" | "s" | "m" | "h";
}

/** A server in this process. Its databases live where `stores` keeps them. */
export class Tidegate {
  readonly #stores: Stores;
  readonly #nowNs: () => bigint;
  readonly #around: Surroundings;
  readonly #databases = new Map<string, Database>();
  /** Stores are made and removed one after the other, in the order of the requests. */
  #administration: Promise<unknown> = Promise.resolve();

  private constructor(stores: Stores, nowNs: () => bigint, around: Surroundings) {
    this.#stores = stores;
    this.#nowNs = nowNs;
    this.#around = around;
  }

  /** Starts the engine from its module and opens all databases. */
  static async open(
    module: WebAssembly.Module | BufferSource,
    stores: Stores,
    options: ServerOptions = {},
  ): Promise<Tidegate> {
    initSync({ module });
    const entropy = new Uint8Array(32);
    (options.random ?? ((bytes) => void crypto.getRandomValues(bytes)))(entropy);
    const server = new Tidegate(stores, options.nowNs ?? wallClock(), {
      face: new Server(entropy, stores.ack),
      report: options.report ?? ((message) => console.warn(`tidegate: ${message}`)),
    });
    for (const name of await stores.list()) {
      const store = await stores.open(name);
      if (await isBlank(store)) {
        // The process died while the database was created, unacknowledged.
        server.#around.report(`database ${name}: its creation was cut short, removing it`);
        await stores.drop(name);
        continue;
      }
      server.#databases.set(name, await Database.opened(name, store, server.#around));
    }
    return server;
  }

  /** Answers a request when what the answer says is durable. */
  async handle(request: ServerRequest): Promise<ServerAnswer> {
    const { face } = this.#around;
    const headers = [...request.headers].flat();
    const { method, url, body } = request;
    const id = crypto.randomUUID();
    const handled = face.handle(method, url, headers, body, this.#nowNs(), id);
    const { changes, tickets, otherwise, ...answer } = handled;
    try {
      await Promise.all([
        ...changes.map((change) => this.#change(change)),
        ...tickets.map(({ engine, lsn }) => this.#durable(engine, lsn)),
      ]);
    } catch {
      return otherwise;
    }
    return answer;
  }

  /** Writes line protocol; the answer's status is 204 when all of it is durable. */
  async write(target: WriteTarget, body: string | Uint8Array): Promise<ServerAnswer> {
    const query = new URLSearchParams({ db: target.database });
    if (target.retentionPolicy !== undefined) query.set("rp", target.retentionPolicy);
    if (target.precision !== undefined) query.set("precision", target.precision);
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    return this.handle({ method: "POST", url: `/write?${query}`, headers: [], body: bytes });
  }

  /** Runs InfluxQL; resolves to the parsed JSON answer, errors included. */
  async query(text: string, database?: string): Promise<unknown> {
    const form = new URLSearchParams({ q: text });
    if (database !== undefined) form.set("db", database);
    const headers: [string, string][] = [["Content-Type", "application/x-www-form-urlencoded"]];
    const body = new TextEncoder().encode(form.toString());
    const answer = await this.handle({ method: "POST", url: "/query", headers, body });
    return JSON.parse(new TextDecoder().decode(answer.body));
  }

  /** The Web-standard face of `handle`. */
  async fetch(request: Request): Promise<Response> {
    const { method, url, headers } = request;
    const body = new Uint8Array(await request.arrayBuffer());
    const answer = await this.handle({ method, url, headers, body });
    const content = answer.body.length === 0 ? null : answer.body.slice();
    return new Response(content, { status: answer.status, headers: answer.headers });
  }

  /** Ends all engines after what they have accepted is durable, and gives up the stores. */
  async close(): Promise<void> {
    for (const database of this.#databases.values()) {
      await database.settle();
      await database.stop("the server is closing");
      this.#around.face.release(database.engine);
    }
    this.#databases.clear();
    await this.#administration.catch(() => undefined);
    await this.#stores.close();
  }

  async #durable(engine: number, lsn: bigint): Promise<void> {
    for (const database of this.#databases.values()) {
      if (database.engine === engine) return database.durable(lsn);
    }
    // Dropped by the very request that got the ticket: its change is waited for instead.
  }

  #change(change: Change): Promise<unknown> {
    const before = this.#databases.get(change.database);
    if (change.kind === "dropped") {
      this.#databases.delete(change.database);
      return this.#administer(async () => {
        await before?.stop("the database was dropped");
        await this.#stores.drop(change.database);
      });
    }
    const { database: name, engine, nodeId } = change;
    const store = this.#administer(() => this.#stores.create(name, nodeId));
    const database = Database.created(name, engine, store, this.#around);
    this.#databases.set(name, database);
    return store.catch((error: unknown) => {
      this.#around.report(`database ${name} was not created: ${String(error)}`);
      this.#around.face.release(engine);
      if (this.#databases.get(name) === database) this.#databases.delete(name);
      throw error;
    });
  }

  #administer<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#administration.then(work, work);
    this.#administration = done.catch(() => undefined);
    return done;
  }
}

/**
 * Whether nothing was ever written to a store, not even that the database was created. Only what
 * the store lists can tell; when it cannot list, the answer is no.
 */
async function isBlank(store: Store): Promise<boolean> {
  try {
    return (await store.segments()).every(({ length }) => length === 0);
  } catch {
    return false;
  }
}
