/** A server of databases: requests in, answers out once they are true. */

import { wallClock } from "./clock.js";
import { Database, type Surroundings } from "./database.js";
import type { Change, Face, Handled } from "./face.js";
import { GoneError, instantiate, TrapError } from "./instance.js";
import type {
  AckLevel,
  ServerAnswer,
  ServerOptions,
  ServerRequest,
  Store,
  Stores,
} from "./types.js";

/** How a client says what a body belongs to. */
export interface WriteTarget {
  database: string;
  retentionPolicy?: string;
  precision?: "n" | "u" | "ms" | "s" | "m" | "h";
  /**
   * What the points must survive before the answer comes; what the stores promise if left out.
   * The answer's `X-Tidegate-Ack` is this level or a stronger one; where the stores cannot keep
   * it, the status is 501 and nothing is written.
   */
  ack?: AckLevel;
  /** Whether the body is read strictly; what the server does if left out. */
  strict?: boolean;
  /** `lines`: an error comes with a list of every rejected line, its place and the reason. */
  errors?: "text" | "lines";
}

/** For so long a request waits for the databases to come back after a trap. */
const REVIVAL_MS_MAX = 10_000;
const INSTANTIATE_DELAY_MS = 1_000;

/** A server in this process. Its databases live where `stores` keeps them. */
export class Tidegate {
  readonly #stores: Stores;
  readonly #nowNs: () => bigint;
  readonly #around: Surroundings;
  readonly #databases = new Map<string, Database>();
  /** Stores are made and removed one after the other, in the order of the requests. */
  #administration: Promise<unknown> = Promise.resolve();

  readonly #instantiate: () => Face;
  /** Pending from a trap until the databases are back. */
  #revival: Promise<void> | undefined;
  #isClosed = false;

  private constructor(module: WebAssembly.Module, stores: Stores, options: ServerOptions) {
    this.#stores = stores;
    this.#nowNs = options.nowNs ?? wallClock();
    const random = options.random ?? ((bytes) => void crypto.getRandomValues(bytes));
    const { snapshotLogBytes } = options;
    const isBytes = Number.isSafeInteger(snapshotLogBytes) && Number(snapshotLogBytes) > 0;
    if (snapshotLogBytes !== undefined && !isBytes) {
      throw new RangeError(`snapshotLogBytes is ${snapshotLogBytes}: give a whole number of bytes`);
    }
    const trapped = (trap: TrapError) => this.#trapped(trap);
    this.#instantiate = () => {
      const entropy = new Uint8Array(32);
      random(entropy);
      return instantiate(module, entropy, stores.ack, options, trapped);
    };
    this.#around = {
      face: this.#instantiate(),
      nowNs: this.#nowNs,
      report: options.report ?? ((message) => console.warn(`tidegate: ${message}`)),
    };
  }

  /** Starts the engine from its module and opens all databases. */
  static async open(
    module: WebAssembly.Module | BufferSource,
    stores: Stores,
    options: ServerOptions = {},
  ): Promise<Tidegate> {
    const isModule = module instanceof WebAssembly.Module;
    const compiled = isModule ? module : await WebAssembly.compile(module);
    const server = new Tidegate(compiled, stores, options);
    for (const name of await stores.list()) {
      const store = await stores.open(name);
      if (await isBlank(store)) {
        // The process died while the database was created, unacknowledged.
        server.#around.report(`database ${name}: its creation was cut short, removing it`);
        await stores.drop(name);
        continue;
      }
      while (server.#revival !== undefined) await server.#revival;
      const database = new Database(name, Promise.resolve(store), server.#around);
      server.#databases.set(name, database);
      // If it traps, it is started again with all others.
      await database.start().catch(ignoreTrap);
    }
    while (server.#revival !== undefined) await server.#revival;
    return server;
  }

  /** Answers a request when what the answer says is durable. */
  async handle(request: ServerRequest): Promise<ServerAnswer> {
    // Nothing is awaited between this and the last use of the engine's numbers, which hold for
    // one instance only.
    for (let wait = this.#pause(); wait !== undefined; wait = this.#pause()) await wait;
    let handled: Handled;
    try {
      const headers = [...request.headers].flat();
      const { method, url, body } = request;
      const id = crypto.randomUUID();
      handled = this.#around.face.handle(method, url, headers, body, this.#nowNs(), id);
    } catch (error) {
      ignoreTrap(error);
      return trappedAnswer();
    }
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

  /** Writes line protocol; the answer's status is 204 when all of it is as safe as asked. */
  async write(target: WriteTarget, body: string | Uint8Array): Promise<ServerAnswer> {
    const query = new URLSearchParams({ db: target.database });
    if (target.retentionPolicy !== undefined) query.set("rp", target.retentionPolicy);
    if (target.precision !== undefined) query.set("precision", target.precision);
    if (target.ack !== undefined) query.set("ack", target.ack);
    if (target.strict !== undefined) query.set("strict", String(target.strict));
    if (target.errors !== undefined) query.set("errors", target.errors);
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
    this.#isClosed = true;
    for (const database of this.#databases.values()) {
      await database.close("the server is closing");
    }
    await this.#revival;
    this.#databases.clear();
    await this.#administration.catch(() => undefined);
    await this.#stores.close();
  }

  /** What has to be over before a request may be answered. */
  #pause(): Promise<void> | undefined {
    if (this.#revival !== undefined) return this.#revival;
    for (const { reporting } of this.#databases.values()) {
      if (reporting !== undefined) return reporting;
    }
    return undefined;
  }

  /** Called in the midst of the call that trapped. */
  #trapped(trap: TrapError): void {
    for (const database of this.#databases.values()) database.detach(trap.message);
    if (this.#isClosed) return;
    this.#around.report(`${trap.message}; reopening all databases in a fresh instance`);
    const revival = this.#revive().finally(() => {
      // Another trap may have begun another one.
      if (this.#revival === revival) this.#revival = undefined;
    });
    this.#revival = revival;
  }

  async #revive(): Promise<void> {
    await this.#replaceInstance();
    if (this.#isClosed) return;
    const starts = [...this.#databases.values()].map((database) => database.start());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise((resolve) => (timer = setTimeout(resolve, REVIVAL_MS_MAX)));
    // A start only rejects for a trap, and then the next revival is under way.
    await Promise.race([Promise.allSettled(starts), enough]);
    clearTimeout(timer);
  }

  async #replaceInstance(): Promise<void> {
    // Not while the call that trapped is still on the stack.
    await undefined;
    while (!this.#isClosed) {
      try {
        this.#around.face = this.#instantiate();
        return;
      } catch (error) {
        this.#around.report(`the engine cannot be started, trying again: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, INSTANTIATE_DELAY_MS));
      }
    }
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
      if (this.#databases.get(name) === database) this.#databases.delete(name);
      void database.stop("the database was not created");
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
    return (await store.files()).every(({ length }) => length === 0);
  } catch {
    return false;
  }
}

/** Swallows that the instance trapped, which is seen to elsewhere, and nothing else. */
function ignoreTrap(error: unknown): void {
  if (!(error instanceof TrapError || error instanceof GoneError)) throw error;
}

function trappedAnswer(): ServerAnswer {
  const text = "the engine failed, the databases are being reopened, retry later";
  return {
    status: 503,
    headers: [
      ["Content-Type", "application/json"],
      ["Retry-After", "1"],
    ],
    body: new TextEncoder().encode(`${JSON.stringify({ error: text })}\n`),
  };
}
