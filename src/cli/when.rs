//! Times and sizes for people.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A point in time on the local clock, with how long ago it was: `14:03 (3 min ago)`.
pub(crate) fn since(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    format!("{} ({})", clock(then, now, zone), ago(then, now))
}

/// The local clock; with the day when that is another one.
pub(crate) fn clock(then: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let local = then.to_zoned(zone.clone());
    let same_day = local.date() == now.to_zoned(zone.clone()).date();
    let format = if same_day {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    local.strftime(format).to_string()
}

/// How long ago something was; what lies ahead counts as now.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0).unsigned_abs();
    match seconds {
        0..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// How long something took or may take.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// What is left of a code's life, in whole minutes, as people count them.
pub(crate) fn left(time: Duration) -> String {
    match time.as_secs() {
        0 => "no time left".to_owned(),
        1..60 => "less than a minute left".to_owned(),
        60..120 => "1 minute left".to_owned(),
        seconds => format!("{} minutes left", seconds / 60),
    }
}

/// Bytes.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    // Tenths of the unit, in whole numbers: no float comes near a size.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let now: Timestamp = "2026-03-04T12:00:00Z".parse().expect("it is a time");
        let before = |seconds: i64| now - jiff::SignedDuration::from_secs(seconds);
        assert_eq!(
            since(before(185), now, &TimeZone::UTC),
            "11:56:55 (3 min ago)"
        );
        assert_eq!(
            since(before(200_000), now, &TimeZone::UTC),
            "2026-03-02 04:26 (2 d ago)"
        );
        assert_eq!(ago(before(-5), now), "just now");
        assert_eq!(span(Duration::from_millis(12)), "12 ms");
        assert_eq!(span(Duration::from_millis(61_900)), "1 min 1 s");
        assert_eq!(span(Duration::from_millis(5_450)), "5.4 s");
        assert_eq!(left(Duration::from_secs(899)), "14 minutes left");
        assert_eq!(left(Duration::from_secs(59)), "less than a minute left");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(3_000_000), "2.8 MiB");
        assert_eq!(size(u64::MAX), "16777215.9 TiB");
    }
}
