//! The numbers in headers: octal digits, or binary ones where those do not suffice.

/// Reads a numeric field: octal with spaces before and spaces or NULs behind, or base-256 (GNU), which can be negative.
/// An empty field is 0.
pub(super) fn parse(field: &[u8]) -> Result<i64, &'static str> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => binary(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Result<i64, &'static str> {
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let field = &field[start..];
    let end = field
        .iter()
        .position(|byte| matches!(byte, b' ' | 0))
        .unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    // What stands behind the first terminator is read by some and not by others.
    if rest.iter().any(|byte| !matches!(byte, b' ' | 0)) {
        return Err("has something behind its end");
    }
    let mut value = 0_i64;
    for digit in digits {
        if !matches!(digit, b'0'..=b'7') {
            return Err("is no octal number");
        }
        value = value
            .checked_mul(8)
            .and_then(|value| value.checked_add(i64::from(digit - b'0')))
            .ok_or("is larger than a number can be")?;
    }
    Ok(value)
}

/// Two's complement, big-endian, without the topmost bit, which says that it is one.
fn binary(field: &[u8]) -> Result<i64, &'static str> {
    let negative = field[0] & 0x40 != 0;
    let first = field[0] & 0x7f;
    let mut value = if negative {
        i128::from(first) - 0x80
    } else {
        i128::from(first)
    };
    // Fields have at most 12 bytes: 95 bits.
    for byte in &field[1..] {
        value = value << 8 | i128::from(*byte);
    }
    i64::try_from(value).map_err(|_| "is larger than a number can be")
}

/// Writes octal digits and a NUL; false if they do not fit.
pub(super) fn write_octal(field: &mut [u8], value: u64) -> bool {
    let digits = field.len() - 1;
    if value >> (3 * digits) != 0 {
        return false;
    }
    let mut rest = value;
    for digit in field[..digits].iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest & 7).unwrap_or_default();
        rest >>= 3;
    }
    field[digits] = 0;
    true
}

/// Reads a decimal number as PAX has it: digits, and nothing else.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_fields_end_in_spaces_or_nuls_and_begin_with_spaces() {
        assert_eq!(parse(b"0000644\0"), Ok(0o644));
        assert_eq!(parse(b"   644 \0"), Ok(0o644));
        assert_eq!(parse(b"  10644 "), Ok(0o10644));
        assert_eq!(parse(b"00000644"), Ok(0o644));
        assert_eq!(parse(b"644\0\0 \0\0"), Ok(0o644));
        assert_eq!(parse(b"777777777777"), Ok(0o777_777_777_777));
        assert_eq!(parse(b"\0\0\0\0\0\0\0\0"), Ok(0));
        assert_eq!(parse(b"        "), Ok(0));
        assert_eq!(parse(b""), Ok(0));
    }

    #[test]
    fn octal_fields_with_anything_else_are_refused() {
        for field in [&b"0000648\0"[..], b"-000644\0", b"+644", b"0x10", b"0o17"] {
            assert_eq!(parse(field), Err("is no octal number"), "{field:?}");
        }
        for field in [&b"644\x005\0\0\0"[..], b"644 5\0\0\0", b"\0 644", b"12 34\0"] {
            assert_eq!(parse(field), Err("has something behind its end"), "{field:?}");
        }
        assert!(parse(&[b'7'; 30]).is_err());
    }

    #[test]
    fn base_256_has_a_sign() {
        assert_eq!(parse(&[0x80, 0, 0, 0, 0, 0, 1, 2]), Ok(258));
        assert_eq!(parse(&[0xff; 12]), Ok(-1));
        assert_eq!(
            parse(&[
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0
            ]),
            Ok(-512)
        );
        let mut largest = [0xff; 12];
        largest[..5].copy_from_slice(&[0x80, 0, 0, 0, 0x7f]);
        assert_eq!(parse(&largest), Ok(i64::MAX));
        largest[4] = 0x80;
        assert_eq!(parse(&largest), Err("is larger than a number can be"));
        assert!(parse(&[0xbf; 12]).is_err());
        assert!(parse(&[0xc0; 12]).is_err());
    }

    #[test]
    fn octal_is_written_where_it_fits() {
        let mut field = [0; 8];
        assert!(write_octal(&mut field, 0o644));
        assert_eq!(&field, b"0000644\0");
        assert!(write_octal(&mut field, 0o7_777_777));
        assert_eq!(&field, b"7777777\0");
        assert!(!write_octal(&mut field, 0o10_000_000));
        let mut field = [0; 12];
        assert!(write_octal(&mut field, 0o77_777_777_777));
        assert!(!write_octal(&mut field, u64::MAX));
    }

    #[test]
    fn decimal_is_digits_only() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for text in [
            &b""[..],
            b"18446744073709551616",
            b"-1",
            b"+1",
            b" 1",
            b"1\0",
            b"1.0",
        ] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }
}
