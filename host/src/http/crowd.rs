//! How many connections one address holds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

use crate::log::log;

/// What who is turned away gets to read, if he reads before he writes. 503, so that agents keep
/// their batch.
const TURNED_AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 35\r\n\r\n\
    too many connections from one host\n";

/// Connections by where they come from; a limit of 0 switches it off.
#[derive(Debug)]
pub(super) struct Crowd {
    max: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_origin: HashMap<IpAddr, usize>,
    turned_away: u64,
}

/// One connection of an address, until dropped.
#[derive(Debug)]
pub(super) struct Place(Option<(Arc<Crowd>, IpAddr)>);

impl Crowd {
    pub(super) fn new(max: usize) -> Self {
        let held = Mutex::default();
        Self { max, held }
    }

    /// A place for a connection from there, or `None` if that address has all of its own.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        if self.max == 0 {
            return Some(Place(None));
        }
        let origin = origin(from);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.by_origin.entry(origin).or_default();
        if *count >= self.max {
            held.turned_away += 1;
            let times = held.turned_away;
            // The first, and then ever fewer.
            if times.is_power_of_two() {
                let max = self.max;
                log!(
                    "turned away connections beyond {max} of one address ({times} times), \
                     the last from {from}"
                );
            }
            return None;
        }
        *count += 1;
        Some(Place(Some((Arc::clone(self), origin))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((crowd, origin)) = &self.0 else {
            return;
        };
        let mut held = crowd.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.by_origin.entry(*origin) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Says why, as far as that goes without waiting, and closes.
pub(super) fn turn_away(stream: TcpStream) {
    // A fresh connection has room for this; where it has not, it is closed all the same.
    let _ = stream.try_write(TURNED_AWAY);
    drop(stream);
}

/// Whom an address stands for: of IPv6 everybody has a whole /64.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let crowd = Arc::new(Crowd::new(2));
        let first = crowd.enter(at("10.0.0.1")).expect("free");
        let _second = crowd.enter(at("::ffff:10.0.0.1")).expect("free");
        assert!(crowd.enter(at("10.0.0.1")).is_none());
        let _other = crowd.enter(at("10.0.0.2")).expect("another address");
        drop(first);
        let third = crowd.enter(at("10.0.0.1")).expect("free again");
        assert!(crowd.enter(at("10.0.0.1")).is_none());
        drop((third, _second, _other));
        let held = crowd.held.lock().expect("not poisoned");
        assert!(held.by_origin.is_empty(), "who is gone costs nothing");
        assert_eq!(held.turned_away, 2);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let crowd = Arc::new(Crowd::new(1));
        let _held = crowd.enter(at("2001:db8::1")).expect("free");
        assert!(crowd.enter(at("2001:db8::ffff:1")).is_none());
        assert!(crowd.enter(at("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn without_a_limit_nobody_is_counted() {
        let crowd = Arc::new(Crowd::new(0));
        let places: Vec<_> = (0..100).map(|_| crowd.enter(at("::1"))).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(
            crowd
                .held
                .lock()
                .expect("not poisoned")
                .by_origin
                .is_empty()
        );
    }

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = str::from_utf8(TURNED_AWAY).expect("ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }
}
