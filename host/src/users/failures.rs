//! How often logins may fail: so often at once, and then so often a minute.
//!
//! Counted for each address and name, and for each address. Only failures count, and who is
//! known ([`super::verified`]) is not held back at all: an agent goes on writing while somebody
//! behind the same address guesses its password.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Of one name from one address: this many at once, then one in this time.
const LOGIN: Rate = Rate {
    burst: 50,
    refill: Duration::from_secs(5),
};
/// Of one address.
const ADDRESS: Rate = Rate {
    burst: 200,
    refill: Duration::from_secs(1),
};
/// Counters that are kept; beyond, those that matter least go first.
const COUNTERS_MAX: usize = 8192;

struct Rate {
    burst: u32,
    refill: Duration,
}

/// Counters of failures.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Names are hashed with a key of this process: they come from clients, and may be
    /// passwords that were typed into the wrong field.
    hasher: RandomState,
    counters: Mutex<HashMap<Counted, Counter>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Login(IpAddr, u64),
    Address(IpAddr),
}

impl Counted {
    const fn rate(self) -> Rate {
        match self {
            Self::Login(..) => LOGIN,
            Self::Address(_) => ADDRESS,
        }
    }
}

/// Failures that are not forgiven yet, as the time it takes to forgive them.
#[derive(Clone, Copy, Debug)]
struct Counter {
    forgiven_at: Instant,
}

impl Failures {
    /// How long the next attempt has to wait; `None` if it need not.
    pub(super) fn wait(&self, from: IpAddr, name: &[u8], now: Instant) -> Option<Duration> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = self.counted(from, name).into_iter().filter_map(|counted| {
            let counter = counters.get(&counted)?;
            let rate = counted.rate();
            // One more must fit below the burst.
            let room = rate.refill * (rate.burst - 1);
            let debt = counter.forgiven_at.saturating_duration_since(now);
            debt.checked_sub(room).filter(|wait| !wait.is_zero())
        });
        waits.max()
    }

    /// An attempt failed; whether that used up what the address may do at once.
    pub(super) fn failed(&self, from: IpAddr, name: &[u8], now: Instant) -> bool {
        {
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            for counted in self.counted(from, name) {
                if counters.len() >= COUNTERS_MAX && !counters.contains_key(&counted) {
                    make_room(&mut counters, now);
                }
                let counter = counters.entry(counted);
                let counter = counter.or_insert(Counter { forgiven_at: now });
                counter.forgiven_at = counter.forgiven_at.max(now) + counted.rate().refill;
            }
        }
        self.wait(from, name, now).is_some()
    }

    /// The name was proven from this address: what failed before was a person typing.
    pub(super) fn succeeded(&self, from: IpAddr, name: &[u8]) {
        let [login, _] = self.counted(from, name);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.remove(&login);
    }

    fn counted(&self, from: IpAddr, name: &[u8]) -> [Counted; 2] {
        let from = network(from);
        let name = self.hasher.hash_one(name);
        [Counted::Login(from, name), Counted::Address(from)]
    }
}

/// The address as one party holds it: of IPv6 the half that is given out as a whole.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let upper = u128::from(six) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(upper))
        }
        four => four,
    }
}

/// Drops what is forgiven, or else the half that will be soonest.
fn make_room(counters: &mut HashMap<Counted, Counter>, now: Instant) {
    counters.retain(|_, counter| counter.forgiven_at > now);
    if counters.len() < COUNTERS_MAX {
        return;
    }
    let mut times: Vec<Instant> = counters.values().map(|one| one.forgiven_at).collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or(now);
    counters.retain(|_, counter| counter.forgiven_at > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn fail(failures: &Failures, name: &[u8], times: u32, now: Instant) {
        for _ in 0..times {
            failures.failed(HERE, name, now);
        }
    }

    #[test]
    fn a_burst_is_free_and_then_one_at_a_time() {
        let failures = Failures::default();
        let now = Instant::now();
        fail(&failures, b"u", LOGIN.burst - 1, now);
        assert_eq!(failures.wait(HERE, b"u", now), None);
        assert!(failures.failed(HERE, b"u", now), "that was the last");
        assert_eq!(failures.wait(HERE, b"u", now), Some(LOGIN.refill));
        assert_eq!(failures.wait(HERE, b"v", now), None, "another name");
        assert_eq!(failures.wait(THERE, b"u", now), None, "another address");
        let later = now + LOGIN.refill;
        assert_eq!(failures.wait(HERE, b"u", later), None);
        assert!(failures.failed(HERE, b"u", later));
        assert!(failures.wait(HERE, b"u", later).is_some());
    }

    #[test]
    fn an_address_that_tries_many_names_is_held_back_too() {
        let failures = Failures::default();
        let now = Instant::now();
        for number in 0..ADDRESS.burst {
            assert_eq!(failures.wait(HERE, b"fresh", now), None, "{number}");
            failures.failed(HERE, &number.to_le_bytes(), now);
        }
        assert_eq!(failures.wait(HERE, b"fresh", now), Some(ADDRESS.refill));
        assert_eq!(failures.wait(THERE, b"fresh", now), None);
    }

    #[test]
    fn who_succeeds_begins_anew_but_the_address_does_not() {
        let failures = Failures::default();
        let now = Instant::now();
        fail(&failures, b"u", LOGIN.burst, now);
        failures.succeeded(HERE, b"u");
        assert_eq!(failures.wait(HERE, b"u", now), None);
        fail(&failures, b"v", ADDRESS.burst, now);
        failures.succeeded(HERE, b"v");
        assert!(failures.wait(HERE, b"v", now).is_some());
    }

    #[test]
    fn many_addresses_do_not_fill_the_memory() {
        let failures = Failures::default();
        let now = Instant::now();
        fail(&failures, b"u", LOGIN.burst, now);
        for number in 0..COUNTERS_MAX as u32 {
            let from = IpAddr::V4(number.into());
            failures.failed(from, b"u", now);
        }
        assert!(failures.counters.lock().expect("alone").len() <= COUNTERS_MAX);
        assert!(failures.wait(HERE, b"u", now).is_some(), "the worst stay");
    }

    #[test]
    fn an_ipv6_network_is_one_party() {
        let address = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::2:3:4:5"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), HERE);
    }
}
