//! Where to listen, and how many connections the system lets us hold.

use std::net::{SocketAddr, ToSocketAddrs};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::config::Http;
use crate::failure::Failure;

/// Descriptors that connections must leave free: logs, databases, the runtime.
const DESCRIPTORS_RESERVED: u64 = 256;
/// The most connections, unless configured.
const CONNECTIONS_MAX: u64 = 16_384;

/// Binds the address, after checking that it is one we dare listen on.
pub(crate) async fn bind(config: &Http) -> Result<TcpListener, Failure> {
    let address = resolve(&config.bind_address)?;
    let open = !address.ip().is_loopback() && !config.auth_enabled;
    if open && !config.open_to_network {
        return Err(Failure::usage(format!(
            "{address} can be reached from other machines, and nobody has to say who they are; \
             listen on 127.0.0.1, or set [http] open-to-network = true \
             (TIDEGATE_HTTP_OPEN_TO_NETWORK=true) if the network is trusted"
        )));
    }
    TcpListener::bind(address).await.map_err(|error| {
        Failure::world(format!(
            "cannot listen on {address}: {error}; \
             stop what listens there, or choose another address with --http"
        ))
    })
}

/// `:8086` is every interface, as upstream has it.
fn resolve(text: &str) -> Result<SocketAddr, Failure> {
    let full = if text.starts_with(':') {
        format!("0.0.0.0{text}")
    } else {
        text.to_owned()
    };
    let wrong = |why: String| {
        Failure::usage(format!(
            "cannot listen on {text:?}: {why}; write ADDR:PORT with --http"
        ))
    };
    let mut addresses = full
        .to_socket_addrs()
        .map_err(|error| wrong(error.to_string()))?;
    addresses
        .next()
        .ok_or_else(|| wrong("it is no address".into()))
}

/// How many connections to hold: what is configured, within what the system allows.
pub(super) fn connections_max(config: &Http) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() {
        // Raising the soft limit is always allowed; failing to is no reason to stop.
        let raised = rustix::process::Rlimit {
            current: limit.maximum.or(Some(1 << 20)),
            maximum: limit.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let descriptors = limit.current.unwrap_or(u64::MAX);
    let allowed = descriptors
        .saturating_sub(DESCRIPTORS_RESERVED)
        .max(descriptors / 2)
        .max(1);
    let wanted = match config.max_connection_limit {
        0 => CONNECTIONS_MAX,
        configured => configured as u64,
    };
    usize::try_from(wanted.min(allowed)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_means_all_interfaces() {
        assert_eq!(resolve(":8086").ok(), "0.0.0.0:8086".parse().ok());
        assert_eq!(resolve("127.0.0.1:0").ok(), "127.0.0.1:0".parse().ok());
        for wrong in ["", "8086", "127.0.0.1", "127.0.0.1:x"] {
            assert_eq!(resolve(wrong).expect_err(wrong).code, 2);
        }
    }

    #[tokio::test]
    async fn an_open_door_has_to_be_asked_for() {
        let mut config = Http {
            bind_address: "0.0.0.0:0".into(),
            ..Http::default()
        };
        let failure = bind(&config).await.expect_err("refused");
        assert_eq!(failure.code, 2);
        assert!(failure.to_string().contains("open-to-network"));
        config.open_to_network = true;
        bind(&config).await.expect("bound");
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_a_remedy() {
        let at = |address: &str| Http {
            bind_address: address.into(),
            ..Http::default()
        };
        let first = bind(&at("127.0.0.1:0")).await.expect("bound");
        let address = first.local_addr().expect("bound").to_string();
        let failure = bind(&at(&address)).await.expect_err("in use");
        assert_eq!(failure.code, 1);
        let text = failure.to_string();
        assert!(text.contains(&address) && text.contains("--http"), "{text}");
    }
}
