//! `tidegate-wasm-build ARTIFACT DIR`: bindings of the JavaScript face into `DIR`.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [artifact, directory] = arguments.as_slice() else {
        eprintln!("usage: tidegate-wasm-build ARTIFACT DIR");
        return ExitCode::from(2);
    };
    // `web` is the one target that every runtime we care for can load. The default path is kept
    // so that a browser may call `init()` without an argument. Names go here and not by the
    // linker, whose stripping would take the list of target features along.
    let generated = Bindgen::new()
        .input_path(artifact)
        .out_name("tidegate")
        .typescript(true)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(directory));
    match generated {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot generate bindings from {artifact} into {directory}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
