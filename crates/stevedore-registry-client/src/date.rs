//! The two spellings of time that registries send: HTTP dates and RFC 3339.

/// Seconds since the epoch of an HTTP date (RFC 9110, section 5.6.7; only the preferred form, as no registry sends
/// the obsolete ones).
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // Sun, 06 Nov 1994 08:49:37 GMT
    let (_, text) = text.trim().split_once(", ")?;
    let mut words = text.split(' ');
    let day = number(words.next()?, 2)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|known| *known == month)?;
    let year = number(words.next()?, 4)?;
    let time = words.next()?;
    if words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    seconds(year, i64::try_from(month).ok()? + 1, day, time)
}

/// Seconds since the epoch of an RFC 3339 time; fractions of a second are dropped.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let text = text.trim();
    let date = text.get(..10)?;
    if !matches!(text.get(10..11)?, "T" | "t" | " ") {
        return None;
    }
    let time = text.get(11..19)?;
    let zone = text.get(19..)?;
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => zone,
    };
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let offset = number(hours, 2)? * 3600 + number(minutes, 2)? * 60;
            if sign == "-" { -offset } else { offset }
        }
        _ => return None,
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some(seconds(number(year, 4)?, number(month, 2)?, number(day, 2)?, time)? - offset)
}

fn seconds(year: i64, month: i64, day: i64, time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let (hour, minute, second) = (
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    );
    let sane =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !sane || parts.next().is_some() {
        return None;
    }
    // Days since 1970-01-01 of a proleptic Gregorian date, counted in years that begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(digits: &str, width: usize) -> Option<i64> {
    if digits.len() == width && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_http_dates() {
        assert_eq!(
            parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(
            parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"),
            Some(1_709_164_800)
        );
        for wrong in [
            "",
            "120",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "x, 06 Foo 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_http_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reads_rfc_3339() {
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_rfc3339("2026-11-24T16:05:49.123456Z"), Some(1_795_536_349));
        assert_eq!(parse_rfc3339("1970-01-01T01:30:00+01:30"), Some(0));
        assert_eq!(parse_rfc3339("1969-12-31T22:00:00-02:00"), Some(0));
        for wrong in [
            "",
            "2026-11-24",
            "2026-11-24T16:05:49",
            "2026-13-24T16:05:49Z",
            "2026-11-24T16:05:49+1",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9TZ:.+ ,a-zA-Z\u{e9}-]{0,40}") {
            let _ = (parse_http_date(&text), parse_rfc3339(&text));
        }
    }
}
