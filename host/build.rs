//! Builds the guest, so that `cargo build -p tidegate` alone makes a complete server.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TIDEGATE_BUILD_GUEST");
    let out = PathBuf::from(variable("OUT_DIR"));
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("..");
    // A packager may have built the guest elsewhere already.
    let module = match env::var_os("TIDEGATE_BUILD_GUEST") {
        Some(path) => PathBuf::from(path),
        None => build(&root, &out.join("guest")),
    };
    let target = out.join("guest.wasm");
    if let Err(error) = std::fs::copy(&module, &target) {
        panic!(
            "cannot copy {} to {}: {error}",
            module.display(),
            target.display()
        );
    }
}

/// Runs cargo for the other target, in a target directory of its own: the one in use is locked.
fn build(root: &Path, target_dir: &Path) -> PathBuf {
    for watched in [
        "core/src",
        "core/Cargo.toml",
        "wasm/src",
        "wasm/Cargo.toml",
        "Cargo.toml",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(root)
        .args(["build", "--profile", "guest", "--package", "tidegate-wasm"])
        .args(["--no-default-features", "--features", "abi"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(target_dir);
    // What cargo set up for the host's compiler is wrong for the guest; with these gone,
    // .cargo/config.toml decides, and switches simd128 on.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let for_the_host = [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
        ]
        .contains(&name.as_ref())
            || [
                "CARGO_CFG_",
                "CARGO_FEATURE_",
                "CARGO_PKG_",
                "CARGO_PROFILE_",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if for_the_host {
            cargo.env_remove(name.as_ref());
        }
    }
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("building the guest failed ({status}); is {TARGET} installed?"),
        Err(error) => panic!("cannot run cargo for the guest: {error}"),
    }
    target_dir.join(TARGET).join("guest/tidegate_wasm.wasm")
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
