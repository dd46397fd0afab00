//! The guest's bytes.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::missing_layer;
use super::server::root;

const TARGET: &str = "wasm32-unknown-unknown";

/// The guest of `TIDEGATE_GUEST`, or one built as the host builds it.
///
/// # Panics
/// If it cannot be built or read.
pub fn guest_bytes() -> Vec<u8> {
    if let Some(path) = env::var_os("TIDEGATE_GUEST") {
        return fs::read(root().join(path)).expect("TIDEGATE_GUEST");
    }
    let target_dir =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo.args([
        "build",
        "--quiet",
        "--profile",
        "guest",
        "--package",
        "tidegate-wasm",
    ]);
    cargo.args(["--features", "abi", "--target", TARGET, "--target-dir"]);
    cargo.arg(&target_dir);
    for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER"] {
        cargo.env_remove(name);
    }
    let built = cargo.status().expect("cargo starts");
    assert!(built.success(), "the guest does not build");
    let path = target_dir.join(TARGET).join("guest/tidegate_wasm.wasm");
    fs::read(path).expect("the guest is where cargo puts it")
}

/// Whether the server next to this test carries exactly this guest; says loudly if it cannot be
/// told.
///
/// # Panics
/// If the server carries another one.
pub fn require_embedded(guest: &[u8]) {
    let server = server_of_this_build();
    let Some(binary) = server.as_ref().and_then(|path| fs::read(path).ok()) else {
        return missing_layer("the server of this build", "make build");
    };
    assert!(
        env::var_os("TIDEGATE_GUEST").is_some() || memchr::memmem::find(&binary, guest).is_some(),
        "{} carries another guest than the sources make: build it again (make build)",
        server.unwrap_or_default().display()
    );
}

/// Tests lie in `deps` beside it.
fn server_of_this_build() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    Some(test.parent()?.parent()?.join("tidegate"))
}
