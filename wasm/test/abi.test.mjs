// The raw face in V8: no imports, and garbage is answered, not trapped.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const MISUSE = 2;
const bytes = await readFile(new URL("../dist/wasm/tidegate_abi.wasm", import.meta.url));
const module = await WebAssembly.compile(bytes);

test("nothing is imported", () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test("garbage is misuse and the instance lives on", () => {
  const { exports } = new WebAssembly.Instance(module, {});
  assert.equal(exports.abi_version(), 2);
  assert.equal(exports.engine_phase(), 4);
  assert.equal(exports.engine_write(0xffffffff, 0), MISUSE);
  for (let length = 0; length < 200; length += 7) {
    const at = exports.params(length);
    new Uint8Array(exports.memory.buffer, at, length).fill(0xff);
    assert.equal(exports.engine_open(0n, length), MISUSE);
  }
  const text = new Uint8Array(exports.memory.buffer, exports.output_ptr(), exports.output_len());
  assert.match(new TextDecoder().decode(text), /^params are not/);
  assert.equal(exports.engine_poll(), 0);
});

test("memory grows in big steps", () => {
  const { exports } = new WebAssembly.Instance(module, {});
  let growths = 0;
  for (let length = 1000, size = 0; length < 100_000_000; length *= 1.1) {
    exports.input(length);
    if (exports.memory.buffer.byteLength !== size) growths++;
    size = exports.memory.buffer.byteLength;
  }
  assert.ok(growths < 12, `${growths} growths`);
});
