//! Recorded answers of InfluxDB 1.12, and what its records do not cover.

mod queries;
mod recorded;
mod requests;
mod texts;
mod users;
mod world;
