//! The raw face as it is shipped: nothing imported, exactly the frozen list exported.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use wasmparser::{ExternalKind, Parser, Payload};

const TARGET: &str = "wasm32-unknown-unknown";

/// Change nothing here without a new `abi_version`.
const FUNCTIONS: [&str; 21] = [
    "abi_version",
    "engine_accepted",
    "engine_applying",
    "engine_close",
    "engine_complete",
    "engine_durable",
    "engine_effect_bytes",
    "engine_execute",
    "engine_fetch",
    "engine_open",
    "engine_phase",
    "engine_poll",
    "engine_recovery",
    "engine_submitted",
    "engine_supply",
    "engine_write",
    "input",
    "output_len",
    "output_ptr",
    "params",
    "memory",
];

/// The linker adds these to every module of this target; constants, of use to nobody.
const LINKER_GLOBALS: [&str; 2] = ["__data_end", "__heap_base"];

/// Builds the guest as the host does and returns its bytes.
fn guest() -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let target_dir = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let built = Command::new(env!("CARGO"))
        .current_dir(&root)
        .args([
            "build",
            "--profile",
            "guest",
            "--quiet",
            "--package",
            "tidegate-wasm",
        ])
        .args(["--features", "abi", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target_dir)
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the guest does not build");
    let path = target_dir.join(TARGET).join("guest/tidegate_wasm.wasm");
    std::fs::read(&path).expect("the guest is where cargo puts it")
}

#[test]
fn the_guest_imports_nothing_and_exports_the_frozen_list() {
    let bytes = guest();
    let (mut imports, mut functions, mut others) = (0, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.expect("a valid module") {
            Payload::ImportSection(section) => imports += section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.expect("a valid export");
                    match export.kind {
                        ExternalKind::Func | ExternalKind::Memory => functions.push(export.name),
                        _ => others.push(export.name),
                    }
                }
            }
            _ => {}
        }
    }
    println!("guest: {} bytes", bytes.len());
    functions.sort_unstable();
    others.sort_unstable();
    let mut frozen = FUNCTIONS;
    frozen.sort_unstable();
    assert_eq!(imports, 0, "the guest must import nothing");
    assert_eq!(functions, frozen);
    assert_eq!(others, LINKER_GLOBALS);
}
