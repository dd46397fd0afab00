//! `tidegate serve`: puts everything together, and takes it apart in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::ServeFlags;
use crate::config::{Config, Http};
use crate::database::{Context, DatabaseList};
use crate::engine::Maker;
use crate::failure::Failure;
use crate::http;
use crate::log::log;
use crate::store::{DataDir, Reserve, random};
use crate::users::Users;

/// How long a request waits for its database to open before it is told to come back.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// As long as the shortest digest that signs a token.
const SECRET_BYTES_GOOD: usize = 32;

/// Runs the server until it is told to stop.
pub(crate) fn serve(flags: &ServeFlags) -> Result<(), Failure> {
    let config = Config::load(flags, environment())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("http")
        .build()
        .map_err(|error| Failure::world(format!("cannot start threads: {error}")))?;
    runtime.block_on(run(config))
}

fn environment() -> impl Iterator<Item = (String, String)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (lossy(name), lossy(value)))
}

async fn run(config: Config) -> Result<(), Failure> {
    // From here on a signal is heard, and stops the server as soon as it is up.
    let stop = stop_signal()?;
    // The port before the data: if it is taken, nothing else is touched.
    let listener = http::bind(&config.http).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::world(format!("no address to listen on: {error}")))?;
    let data = DataDir::open(&config.data.dir)?;
    let users = Users::load(&config.data.dir, config.http.shared_secret.clone())?;
    let reserve = Reserve::open(&config.data.dir, config.data.space_reserve_size.0)
        .map_err(|error| Failure::io("keep a reserve in", &config.data.dir, &error))?;
    let maker = Maker::new(&config.guest)?;
    let engines = maker.describe();
    let context = Context {
        maker,
        data: config.data.clone(),
        body_bytes_max: config.http.max_body_size.0,
        points_max: config.http.max_points_per_request,
        reserve: Arc::new(reserve),
        open_timeout: OPEN_TIMEOUT,
        late_failures: AtomicU64::new(0),
    };
    let databases = Arc::new(DatabaseList::load(data, Arc::new(context))?);
    databases.warm();
    log!(
        "version {} listens on http://{address}, data in {}, {} databases, {engines}",
        env!("CARGO_PKG_VERSION"),
        config.data.dir.display(),
        databases.all().len()
    );
    warn_of_doors(&config.http, address, users.count());
    let seed = random().map_err(|error| Failure::world(format!("no random numbers: {error}")))?;
    let server = http::Server::new(
        config.http,
        Arc::clone(&databases),
        Arc::new(users),
        u64::from_le_bytes(seed),
    );
    http::serve(server, listener, stop).await;
    log!("closing databases");
    let closing = move || {
        databases.shut_down();
        databases.summary()
    };
    let closed = tokio::task::spawn_blocking(closing).await;
    let summary = closed.map_err(|error| Failure::world(format!("closing databases: {error}")))?;
    for line in summary {
        log!("{line}");
    }
    log!("stopped");
    Ok(())
}

/// Tells what a person should know of who can get in.
fn warn_of_doors(config: &Http, address: SocketAddr, users: usize) {
    if !config.auth_enabled {
        if users > 0 {
            log!("there are {users} users, but nobody is asked: [http] auth-enabled is false");
        }
        return;
    }
    if users == 0 {
        log!(
            "there is no user yet: CREATE USER ... WITH ALL PRIVILEGES is taken from whoever \
             reaches {address} first"
        );
    }
    if (1..SECRET_BYTES_GOOD).contains(&config.shared_secret.bytes().len()) {
        log!(
            "[http] shared-secret is shorter than {SECRET_BYTES_GOOD} bytes: who sees one token \
             may find it by trying"
        );
    }
}

/// Resolves at the first SIGTERM or SIGINT. The handlers stay in place: further ones are ignored
/// while requests finish, which is bounded by `[http] stop-timeout`.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error| Failure::world(format!("cannot watch for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => log!("SIGTERM: stopping"),
            _ = interrupt.recv() => log!("SIGINT: stopping"),
        }
    })
}
