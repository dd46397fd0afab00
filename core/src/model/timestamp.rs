//! Timestamps are `i64` nanoseconds since the Unix epoch.

/// The earliest timestamp a point may have. influxdb 1.12 `models.MinNanoTime`.
pub const TIME_MIN_NS: i64 = i64::MIN + 2;

/// The latest timestamp a point may have. influxdb 1.12 `models.MaxNanoTime`.
pub const TIME_MAX_NS: i64 = i64::MAX - 1;

/// Nanoseconds from 0001-01-01T00:00:00Z to the Unix epoch.
const YEAR_ONE_NS: i128 = 62_135_596_800 * 1_000_000_000;

/// Floors `time` to a multiple of `duration_ns`, counted from the year 1.
///
/// Seven-day shard groups therefore start on Mondays. A floor below the range of `i64` is
/// clamped to it; upstream lets it wrap, and the group is lost at the next start.
///
/// Source: Go `time.Time.Truncate`, influxdb 1.12 `services/meta.createShardGroup`.
pub fn truncate_to(time: i64, duration_ns: i64) -> i64 {
    if duration_ns <= 0 {
        return time;
    }
    let since_year_one = i128::from(time) + YEAR_ONE_NS;
    let floored = i128::from(time) - since_year_one.rem_euclid(i128::from(duration_ns));
    i64::try_from(floored).unwrap_or(i64::MIN)
}

#[cfg(test)]
mod tests {
    use super::truncate_to;

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn week_long_groups_start_on_mondays() {
        // 1969-12-29T00:00:00Z
        assert_eq!(truncate_to(0, 168 * HOUR), -3 * 24 * HOUR);
    }

    #[test]
    fn odd_durations_count_from_the_year_one() {
        // 1969-12-31T21:00:00Z and 1969-12-30T00:00:00Z
        assert_eq!(truncate_to(0, 5 * HOUR), -3 * HOUR);
        assert_eq!(truncate_to(0, 30 * 24 * HOUR), -2 * 24 * HOUR);
    }

    #[test]
    fn the_floor_of_the_earliest_time_is_clamped() {
        assert_eq!(truncate_to(i64::MIN + 2, 168 * HOUR), i64::MIN);
    }
}
