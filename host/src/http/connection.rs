//! One connection, from its first head to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::body::Received;
use super::patience::{Patient, Serving};
use super::respond::Served;
use super::service::Server;

/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Most header lines of a request.
const HEADERS_MAX: usize = 64;
/// Bodies are read in pieces of up to this size; hyper grows towards it as a client keeps up.
const READ_BYTES_MAX: usize = 256 << 10;

/// Serves requests that come `from` there until the client leaves, is too slow, or `stopping`
/// changes.
pub(super) async fn serve(
    server: Arc<Server>,
    stream: TcpStream,
    from: SocketAddr,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are small and written whole; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let serving = Serving::default();
    let limits = &server.limits;
    let idle = limits.idle_timeout.0;
    let patient = Patient::new(
        stream,
        serving.clone(),
        limits.head_timeout.0,
        limits.write_stall_timeout.0,
    );
    let from = from.ip();
    let service = service_fn(|request: Request<Incoming>| {
        let guard = serving.begin(request.body().is_end_stream());
        let server = Arc::clone(&server);
        let request = request.map(|body| Received::new(body, serving.clone()));
        async move {
            let response = server.answer(request, from).await;
            Ok::<_, Infallible>(response.map(|content| Served::new(content, guard)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout((!idle.is_zero()).then_some(idle))
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // Who has said all and waits for the answer is no client that left: `nc -N`.
        .half_close(true)
        // As Go writes them; some scripts compare.
        .title_case_headers(true)
        .max_buf_size(READ_BYTES_MAX)
        .serve_connection(TokioIo::new(patient), service);
    tokio::pin!(connection);
    let stop = async { drop(stopping.wait_for(|stop| *stop).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stop => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            // Finishes the request in flight; an idle connection ends at once.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // Clients that leave or break the protocol are their own business.
    drop(ended);
}
