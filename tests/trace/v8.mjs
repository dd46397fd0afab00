// Plays tapes against the exports of the guest, without imports, and compares the hash after
// every call. `tests/src/trace` says what a tape is.
//
// Standard input: the length of the guest (u32), the guest; then, again and again, the call to
// show (u32, all ones for none), the length of a tape (u32), the tape. Standard output, a line for
// each tape: same, differs, trapped or shown.
import { readSync, writeSync } from "node:fs";

const OK = 0;
const MISUSE = 2;
const REFUSED = 3;
const NO_CALL = 0xffffffff;

// The hash of `tests/src/trace/fold.rs`.
let a = 0;
let b = 0;

function foldWord(word) {
  a = Math.imul(a ^ word, 0x9e3779b1);
  a = (a << 15) | (a >>> 17);
  b = Math.imul((((b << 13) | (b >>> 19)) ^ a) + word, 0x85ebca77);
}

function foldBytes(view, at, length) {
  foldWord(length);
  const end = at + (length & ~3);
  for (; at < end; at += 4) foldWord(view.getInt32(at, true));
  if (length & 3) {
    let word = 0;
    for (let i = 0; i < (length & 3); i++) word |= view.getUint8(at + i) << (8 * i);
    foldWord(word);
  }
}

// LSNs here are far below 2^53.
function foldNumber(number) {
  foldWord(number | 0);
  foldWord((number / 0x100000000) | 0);
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = 0;
  }
  byte() {
    return this.view.getUint8(this.at++);
  }
  word() {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  number() {
    this.at += 8;
    return this.view.getBigInt64(this.at - 8, true);
  }
  part() {
    const length = this.word();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const NAMES = ["", "open", "write", "execute", "fetch", "close", "poll", "complete", "supply"];
const EMPTY = { at: 0, length: 0 };

class Player {
  constructor(recordBytes) {
    this.recordBytes = recordBytes;
  }

  fresh() {
    this.exports = new WebAssembly.Instance(module, {}).exports;
    this.memory = undefined;
  }

  // Memory may have grown in any call, which detaches what saw it before.
  view() {
    if (this.memory?.buffer !== this.exports.memory.buffer) {
      this.memory = new DataView(this.exports.memory.buffer);
    }
    return this.memory;
  }

  put(room, bytes) {
    const at = this.exports[room](bytes.length) >>> 0;
    new Uint8Array(this.exports.memory.buffer, at, bytes.length).set(bytes);
    return bytes.length;
  }

  output() {
    return { at: this.exports.output_ptr() >>> 0, length: this.exports.output_len() >>> 0 };
  }

  // What the call itself returned; `this.result` is where its answer and its bytes lie.
  call(code, tape) {
    const { exports } = this;
    switch (NAMES[code]) {
      case "open": {
        const length = this.put("params", tape.part());
        return this.reported(exports.engine_open(0n, length));
      }
      case "write": {
        const params = this.put("params", tape.part());
        return this.answered(exports.engine_write(params, this.put("input", tape.part())));
      }
      case "execute": {
        const now = tape.number();
        return this.answered(exports.engine_execute(now, this.put("params", tape.part())));
      }
      case "fetch":
        return this.answered(exports.engine_fetch(tape.word(), tape.word()));
      case "close": {
        const done = exports.engine_close(tape.word());
        return done === MISUSE ? this.answered(done) : this.answered(done, EMPTY);
      }
      case "poll":
        return this.polled(tape.number(), tape.word());
      case "complete":
        return this.reported(exports.engine_complete(tape.number(), tape.word()));
      case "supply": {
        const id = tape.number();
        const fault = tape.word();
        const length = this.put("input", tape.part());
        return this.reported(exports.engine_supply(id, fault, length));
      }
      default:
        throw new Error(`no call has the code ${code}`);
    }
  }

  answered(code, output = this.output()) {
    this.result = { output, bytes: EMPTY };
    return code;
  }

  reported(code) {
    if (code === OK) this.exports.engine_recovery();
    return this.answered(code);
  }

  polled(id, length) {
    const at = this.exports.engine_poll() >>> 0;
    if (at === 0) return this.answered(0, EMPTY);
    const bytes = { at: this.exports.engine_effect_bytes(id) >>> 0, length };
    this.result = { output: { at, length: this.recordBytes }, bytes };
    return 1;
  }

  // Folds everything that a host can see after the call; a copy of it if asked for.
  fold(code, shows) {
    const { exports } = this;
    let { output, bytes } = this.result;
    foldWord(code);
    foldBytes(this.view(), output.at, output.length);
    const shown = shows && this.hex(output);
    const phase = exports.engine_phase();
    if (phase === REFUSED) bytes = this.output();
    foldBytes(this.view(), bytes.at, bytes.length);
    foldWord(phase);
    const lsns = [exports.engine_accepted(), exports.engine_submitted(), exports.engine_durable()];
    for (const lsn of lsns) foldNumber(Number(lsn));
    return shows && ["shown", code, phase, ...lsns, shown, this.hex(bytes)].join(" ");
  }

  hex({ at, length }) {
    return `0x${Buffer.from(this.exports.memory.buffer, at, length).toString("hex")}`;
  }
}

function play(bytes, show) {
  const tape = new Reader(bytes);
  const player = new Player(tape.word());
  [a, b] = [0, 0];
  for (let at = 0; ; at++) {
    const code = tape.byte();
    if (code === 0) return `same ${a >>> 0} ${b >>> 0}`;
    try {
      if (NAMES[code] === "open") player.fresh();
      const shown = player.fold(player.call(code, tape), at === show);
      if (shown) return shown;
    } catch (error) {
      return `trapped ${at} ${String(error).replaceAll(/\s+/g, " ")}`;
    }
    // Both are read, whatever the first says.
    const [left, right] = [tape.word(), tape.word()];
    if (left !== a >>> 0 || right !== b >>> 0) return `differs ${at}`;
  }
}

// False at the end of the input.
function fill(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(0, bytes, at, bytes.length - at);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

let room = new Uint8Array(1 << 22);

// Words and the bytes that follow them; nothing at the end of the input.
function frame(words) {
  const head = new Uint32Array(words + 1);
  if (!fill(new Uint8Array(head.buffer))) return undefined;
  const length = head[words];
  if (length > room.length) room = new Uint8Array(length * 2);
  const bytes = room.subarray(0, length);
  if (!fill(bytes)) throw new Error("the input ends within a frame");
  return { head, bytes };
}

const module = new WebAssembly.Module(frame(0).bytes);
if (WebAssembly.Module.imports(module).length > 0) throw new Error("the guest imports something");
for (let next; (next = frame(1)); ) {
  const show = next.head[0] === NO_CALL ? undefined : next.head[0];
  writeSync(1, `${play(next.bytes, show)}\n`);
}
