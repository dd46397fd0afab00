//! Points to fill blocks with.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Owned, Twin};

/// Numbers that look random and are not.
#[derive(Clone)]
pub(crate) struct Lots(pub(crate) u64);

impl Lots {
    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below.max(1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.draw(1 << 31) << 40 ^ self.draw(1 << 31) << 20 ^ self.draw(1 << 31)
    }
}

/// A value for a field, whose number fixes the type.
fn value(lots: &mut Lots, field: u64) -> Owned {
    match field % 6 {
        0 => Owned::Float((lots.draw(2000) as f64 / 10.0 - 50.0).to_bits()),
        1 => Owned::Float(match lots.draw(5) {
            0 => f64::NAN.to_bits() | lots.draw(9),
            1 => (-0.0f64).to_bits(),
            2 => f64::NEG_INFINITY.to_bits(),
            _ => lots.bits(),
        }),
        2 => Owned::Integer(lots.draw(100) as i64 - 50),
        3 => Owned::Unsigned(lots.bits() << lots.draw(40)),
        4 => Owned::Boolean(lots.draw(3) == 0),
        _ => Owned::String(vec![b'a' + lots.draw(3) as u8; lots.draw(12) as usize]),
    }
}

/// Points of `series` series with up to `rows` rows each, of seven fields that come and go.
pub(crate) fn points(seed: u64, series: u64, rows: u64) -> Twin {
    let (mut lots, mut twin) = (Lots(seed), Twin::new());
    for number in 0..series {
        let key = match lots.draw(6) {
            0 => format!("disk,path=/{number}"),
            1 => format!("m{}", lots.draw(4)),
            _ => format!("cpu,host=h{number},zone={}", lots.draw(3)),
        };
        let regular = lots.draw(2) == 0;
        let start = lots.draw(1000) as i64 * 1_000_000_000;
        let wanted: Vec<u64> = (0..7).filter(|_| lots.draw(3) > 0).collect();
        for row in 0..=lots.draw(rows) {
            let time = match regular {
                true => start + row as i64 * 10_000_000_000,
                false => lots.draw(50 * rows) as i64 - 20,
            };
            for &field in &wanted {
                if field < 4 || lots.draw(3) > 0 {
                    let place = (
                        key.clone().into_bytes(),
                        time,
                        format!("f{field}").into_bytes(),
                    );
                    let value = value(&mut lots, field);
                    twin.insert(place, value);
                }
            }
        }
    }
    twin
}
