//! Requests to answers, alike on every host.
