//! Accepting connections, and stopping without losing a request.

use std::sync::Arc;
use std::time::Duration;

use tidegate_core::http::Counter;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};

use super::connection;
use super::crowd::{self, Crowd};
use super::listener::connections_max;
use super::service::Server;
use crate::log::log;

/// After a failed accept: descriptors run out, and trying again at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves, then lets requests in flight finish.
pub(crate) async fn serve(
    server: Arc<Server>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) {
    let connections = Arc::new(Semaphore::new(connections_max(&server.limits)));
    let (stopping, stopped) = watch::channel(false);
    // Each connection holds a sender; the receiver ends when all are gone.
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    tokio::pin!(stop);
    let mut failures: u64 = 0;
    let crowd = Arc::new(Crowd::new(server.limits.max_connections_per_address));
    loop {
        // At the cap nobody is accepted: clients wait in the system's queue.
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit,
            () = &mut stop => break,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, from)) => {
                let Some(place) = crowd.enter(from.ip()) else {
                    crowd::turn_away(stream);
                    continue;
                };
                let (server, stopped) = (Arc::clone(&server), stopped.clone());
                let alive = alive.clone();
                tokio::spawn(async move {
                    let held = Arc::clone(&server);
                    let _busy = held.figures.busy(Some(Counter::Connections), None);
                    connection::serve(server, stream, from, stopped).await;
                    drop((permit, place, alive));
                });
            }
            Err(error) => {
                failures += 1;
                // The first, and then ever fewer.
                if failures.is_power_of_two() {
                    log!("cannot accept connections ({failures} times): {error}");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, alive));
    // No receiver is left when the last connection is gone.
    let _ = stopping.send(true);
    let patience = server.limits.stop_timeout.0;
    if tokio::time::timeout(patience, all_gone.recv())
        .await
        .is_err()
    {
        log!(
            "some requests did not finish within {} s",
            patience.as_secs()
        );
    }
}
