//! An engine, whether it runs in the guest or natively.

mod face;
mod guest;
mod guest_exports;
mod guest_limits;
mod guest_memory;
mod native;

pub(crate) use face::{Died, EngineFace};
pub(crate) use guest::GuestModule;
pub(crate) use native::Native;

use crate::config::Guest as GuestConfig;
use crate::failure::Failure;

/// Makes instances; shared by all databases.
#[derive(Debug)]
pub(crate) enum Maker {
    /// Instances of the guest in wasmtime.
    Guest(Box<GuestModule>),
    /// The engine linked into this binary.
    Native,
    /// Whatever a test wants.
    #[cfg(test)]
    Test(fn() -> Box<dyn EngineFace>),
}

impl Maker {
    /// Compiles the guest, once, unless engines run natively.
    pub(crate) fn new(config: &GuestConfig) -> Result<Self, Failure> {
        if config.native {
            return Ok(Self::Native);
        }
        let module = GuestModule::compile(config).map_err(Failure::world)?;
        Ok(Self::Guest(Box::new(module)))
    }

    /// A fresh instance without an engine in it.
    pub(crate) fn instance(&self) -> Result<Box<dyn EngineFace>, Died> {
        Ok(match self {
            Self::Guest(module) => Box::new(module.instance()?),
            Self::Native => Box::new(Native::default()),
            #[cfg(test)]
            Self::Test(make) => make(),
        })
    }

    /// For the log.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Guest(_) => "engines in WebAssembly",
            Self::Native => "engines native",
            #[cfg(test)]
            Self::Test(_) => "engines of a test",
        }
    }
}
