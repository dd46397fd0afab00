//! What our servers offer beyond the recorded answers of InfluxDB, on every host.

#[path = "contract/figures.rs"]
mod figures;
#[path = "contract/limits.rs"]
mod limits;
#[path = "contract/lines.rs"]
mod lines;
#[path = "contract/pages.rs"]
mod pages;
#[path = "contract/requests.rs"]
mod requests;
#[path = "contract/telegraf.rs"]
mod telegraf;

use tidegate_tests::kit::TempDir;
use tidegate_tests::proof::compat;
use tidegate_tests::proof::server::{Face, Server};

/// Rows of `docs/compatibility.md` that these tests are about.
const ROWS: [&str; 9] = [
    "two-lengths",
    "strict-mode",
    "line-errors",
    "limits-are-exact",
    "fields-per-line",
    "points-per-request",
    "connections-per-address",
    "debug-vars-modules",
    "cors-gzip",
];

#[test]
fn what_is_offered_beyond_upstream_is_on_the_list() {
    compat::require_rows(ROWS);
}

/// Runs with a server of each host that is here, which has the database `d`.
fn on_every_host(name: &str, run: impl Fn(&Server)) {
    for face in Face::OURS {
        if !face.is_here() {
            continue;
        }
        let home = TempDir::new(name).expect("dir");
        let server = Server::start(face, home.path()).expect("server");
        server.execute("CREATE DATABASE d").expect("database");
        run(&server);
    }
}
