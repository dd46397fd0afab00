// Builds dist/: cargo -> bindings -> tsc; prints the sizes of what is shipped.
//
//   node scripts/build.mjs [--no-abi]
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = resolve(here, "..");
const dist = join(here, "dist");
const triple = "wasm32-unknown-unknown";
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");

const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });

// Two faces of one crate end up under one name, hence a folder of its own for this one; the
// other is where the host's build and the artifact test look for it.
function artifact(feature, directory) {
  const args = ["build", "--profile", "guest", "--locked", "--package", "tidegate-wasm"];
  args.push("--features", feature, "--target", triple, "--target-dir", directory);
  run("cargo", args);
  return join(directory, triple, "guest", "tidegate_wasm.wasm");
}

// The generated module keeps its instance in variables of its own, one for the whole process. As a
// function it has one per call: a server has an instance to itself, and replaces it after a trap.
// Without a finalization registry nothing calls into an instance that trapped; what a server
// holds in its instance goes with it.
function oneInstancePerCall(path) {
  const tail = "export { initSync, __wbg_init as default };";
  const body = readFileSync(path, "utf8").replace(/^export class /gm, "class ");
  const [inner, rest] = body.split(tail);
  if (rest?.trim() !== "" || /^(export|import) /m.test(inner)) {
    throw new Error(`${path}: the generated bindings are not of the expected form`);
  }
  const head = "export function bindings() {\nconst FinalizationRegistry = undefined;\n";
  writeFileSync(path, `${head}${inner}return { initSync, Server };\n}\n`);
  copyFileSync(join(here, "ts", "wasm", "tidegate.d.ts"), path.replace(/js$/, "d.ts"));
}

function typescript() {
  const compiler = join(here, "node_modules", "typescript", "bin", "tsc");
  if (!existsSync(compiler)) run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], here);
  run(process.execPath, [compiler, "--project", here], here);
}

function printSizes(paths) {
  console.log("file                         raw     gzip   brotli");
  for (const path of paths) {
    const bytes = readFileSync(path);
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
    const sizes = [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes, quality)];
    const columns = sizes.map((size) => String(size.length).padStart(8)).join(" ");
    console.log(path.slice(dist.length + 1).padEnd(24), columns);
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "wasm"), { recursive: true });
const js = artifact("js", join(target, "wasm-js"));
const bindings = ["run", "--quiet", "--locked", "--package", "tidegate-wasm-build", "--"];
run("cargo", [...bindings, js, join(dist, "wasm")]);
oneInstancePerCall(join(dist, "wasm", "tidegate.js"));
const shipped = [join(dist, "wasm", "tidegate_bg.wasm"), join(dist, "wasm", "tidegate.js")];
if (!process.argv.includes("--no-abi")) {
  shipped.push(join(dist, "wasm", "tidegate_abi.wasm"));
  copyFileSync(artifact("abi", target), shipped[2]);
}
typescript();
printSizes(shipped);
