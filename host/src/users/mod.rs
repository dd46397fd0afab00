//! Users, their passwords and what they may do.
//!
//! ```text
//! Credentials -> Users::identify -+- verified (cache) -------------> Identity -> may it?
//!                                 +- failures (rate), password (argon2id)
//!                                 +- token (JWT)
//! Statement -> Users::perform -> Accounts -> file, durable -> answer
//! ```
//!
//! All of it is outside every guest: no password, no hash and no user statement enters one.

mod accounts;
mod failures;
mod file;
mod identity;
mod login;
mod password;
mod statements;
mod token;
mod user;
mod verified;

#[cfg(test)]
mod tests;

pub(crate) use identity::Identity;
pub(crate) use login::Users;
