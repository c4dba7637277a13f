//! Times and durations as people write them, on the command line and in query strings.

use std::fmt;

use crate::time::{DurationNs, TimeError, Timestamp};

const SECOND: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: expected a number with a unit (250us, 100ms, 1.5s, 15m, 6h, 7d) or nanoseconds")]
pub struct DurationError(pub String);

impl Timestamp {
    /// Reads RFC 3339 with up to nanoseconds (any offset), a day (`2026-01-31`, midnight UTC), `now`,
    /// a time relative to `now` (`-15m`, `-1h30m`, `+5s`), or Unix nanoseconds.
    ///
    /// ```
    /// # use glasshouse_model::{DurationNs, Timestamp};
    /// let now = Timestamp::from_nanos(60_000_000_000);
    /// assert_eq!(Timestamp::parse("-15s", now)?, now - DurationNs::from_secs(15));
    /// assert_eq!(Timestamp::parse("1970-01-01T00:00:00.000000001Z", now)?.nanos(), 1);
    /// # Ok::<_, glasshouse_model::TimeError>(())
    /// ```
    pub fn parse(text: &str, now: Self) -> Result<Self, TimeError> {
        let trimmed = text.trim();
        let relative = |rest: &str| {
            let with_unit = rest.bytes().any(|byte| byte.is_ascii_alphabetic()).then_some(rest)?;
            DurationNs::parse(with_unit).ok()
        };
        let parsed = match trimmed.as_bytes() {
            b"now" => Some(now),
            [b'-', ..] => relative(&trimmed[1..]).map(|ago| now - ago).or_else(|| unix_nanos(trimmed)),
            [b'+', ..] => relative(&trimmed[1..]).map(|ahead| now + ahead),
            _ => unix_nanos(trimmed).or_else(|| rfc3339(trimmed)),
        };
        parsed.ok_or_else(|| TimeError(text.to_owned()))
    }

    /// Shows the moment as RFC 3339 in UTC with nine digits of fraction.
    pub fn rfc3339(self) -> impl fmt::Display {
        Rfc3339(self)
    }
}

impl DurationNs {
    /// Reads numbers with units (`ns us µs ms s m h d w`), summed up (`1h30m`), fractions allowed;
    /// or plain nanoseconds. Never negative.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        duration(text.trim()).ok_or_else(|| DurationError(text.to_owned()))
    }
}

fn unix_nanos(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_nanos)
}

fn duration(text: &str) -> Option<DurationNs> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(DurationNs::from_nanos);
    }
    let mut rest = text;
    let mut total = 0_i64;
    loop {
        let (number, after) = rest.split_at(rest.find(|c: char| c != '.' && !c.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len()));
        total = total.checked_add(scaled(number, unit_nanos(unit)?)?)?;
        rest = after;
        if rest.is_empty() {
            return Some(DurationNs::from_nanos(total));
        }
    }
}

fn unit_nanos(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" | "min" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        "d" => DAY_SECONDS * SECOND,
        "w" => 7 * DAY_SECONDS * SECOND,
        _ => return None,
    })
}

/// A decimal number times a unit, exact; digits below a nanosecond are cut off.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Eighteen digits reach below a nanosecond for every unit.
    let digits = &fraction[..fraction.len().min(18)];
    if digits.contains('.') {
        return None;
    }
    let numerator: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let below = numerator * i128::from(unit) / 10_i128.pow(digits.len() as u32);
    whole.checked_mul(unit)?.checked_add(i64::try_from(below).ok()?)
}

/// RFC 3339 section 5.6, with a space or lower-case letters allowed as its notes say; a date alone
/// means midnight UTC.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = bytes.get(range)?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
    };
    let is = |position: usize, allowed: &[u8]| bytes.get(position).is_some_and(|byte| allowed.contains(byte));

    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(is(4, b"-") && is(7, b"-") && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day)) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    if bytes.len() == 10 {
        return moment(days * DAY_SECONDS, 0);
    }

    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    // Second 60 is a leap second: Unix time counts it as the next minute's first.
    if !(is(10, b"Tt ") && is(13, b":") && is(16, b":") && hour < 24 && minute < 60 && second <= 60) {
        return None;
    }
    let mut at = 19;
    let mut fraction = 0;
    if is(at, b".") {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        fraction = number(at + 1..at + 1 + digits)? * 10_i64.pow(9 - digits as u32);
        at += 1 + digits;
    }
    let offset = match bytes.get(at)? {
        b'Z' | b'z' if bytes.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == at + 6 && is(at + 3, b":") => {
            let (hours, minutes) = (number(at + 1..at + 3)?, number(at + 4..at + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3_600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    moment(days * DAY_SECONDS + hour * 3_600 + minute * 60 + second - offset, fraction)
}

fn moment(seconds: i64, nanos: i64) -> Option<Timestamp> {
    let total = i128::from(seconds) * i128::from(SECOND) + i128::from(nanos);
    i64::try_from(total).ok().map(Timestamp::from_nanos)
}

/// Days since the epoch of a day in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The reverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.nanos().div_euclid(SECOND), self.0.nanos().rem_euclid(SECOND));
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        let second_of_day = seconds.rem_euclid(DAY_SECONDS);
        let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(1_769_860_800_000_000_005);

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let check = |text: &str, nanos: i64| {
            assert_eq!(Timestamp::parse(text, NOW).map(Timestamp::nanos), Ok(nanos), "{text}");
        };
        check("now", NOW.nanos());
        check("-15m", NOW.nanos() - 900 * SECOND);
        check("-1h30m", NOW.nanos() - 5_400 * SECOND);
        check("+1.5s", NOW.nanos() + 1_500_000_000);
        check("1769860800000000005", 1_769_860_800_000_000_005);
        check("-5", -5);
        check("2026-01-31T12:00:00.000000005Z", 1_769_860_800_000_000_005);
        check("2026-01-31T12:00:00Z", 1_769_860_800_000_000_000);
        check("2026-01-31 12:00:00.5z", 1_769_860_800_500_000_000);
        check("2026-01-31T14:30:00+02:30", 1_769_860_800_000_000_000);
        check("2026-01-31T04:00:00-08:00", 1_769_860_800_000_000_000);
        check("1970-01-01", 0);
        check("1969-12-31T23:59:59.999999999Z", -1);
        check("2000-02-29", 951_782_400 * SECOND);
        check("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND);
    }

    #[test]
    fn other_text_is_no_time() {
        for text in [
            "",
            "yesterday",
            "-",
            "+",
            "+5",
            "2026-02-29",
            "2026-13-01",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00.0000000001Z",
            "2026-01-31T12:00Z",
            "9999-01-01",
            "2026-01-31T12:00:00Zx",
            "−15m",
            "2026-01-31T12:00:00+2:00",
            "é026-01-31",
        ] {
            assert_eq!(Timestamp::parse(text, NOW), Err(TimeError(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn durations_are_exact() {
        let check = |text: &str, nanos: Option<i64>| {
            assert_eq!(DurationNs::parse(text).ok().map(DurationNs::nanos), nanos, "{text:?}");
        };
        check("100ms", Some(100_000_000));
        check("1.5s", Some(1_500_000_000));
        check("0.000000001s", Some(1));
        check(".5us", Some(500));
        check("1.0000000000000000001s", Some(1_000_000_000));
        check("250", Some(250));
        check("7d", Some(604_800 * SECOND));
        check("1h30m", Some(5_400 * SECOND));
        check("3µs", Some(3_000));
        check("200000d", None);
        for text in ["", "s", ".s", "1x", "-1s", "1.5", "1.2.3s", "1s2", "1e3s", "99999999999999999999"] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn shown_times_read_back(nanos in any::<i64>()) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(Timestamp::parse(&time.rfc3339().to_string(), NOW), Ok(time));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Timestamp::parse(&text, NOW);
            let _ = DurationNs::parse(&text);
        }
    }
}
