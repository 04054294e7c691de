//! Records of PAX extended headers (POSIX pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`, framed by their length alone.

use super::number;

/// What GNU tar, star and Go put before the name of an extended attribute.
pub(super) const XATTR: &[u8] = b"SCHILY.xattr.";

/// A key and its value.
pub(super) type Record<'a> = (&'a [u8], &'a [u8]);

/// Takes one record from the front; `None` at the end.
///
/// A value may hold anything, newlines included, so nothing is ever looked for in it. What is no record is an error: a
/// reader that skips it would see another archive than one that does not.
pub(super) fn next_record<'a>(rest: &mut &'a [u8]) -> Result<Option<Record<'a>>, &'static str> {
    // Some writers fill the block with NULs and count them. GNU tar and Python stop there as well.
    if rest.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    // Enough digits for any length that fits, leading zeros included.
    let digits = rest
        .iter()
        .take(20)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let length = number::decimal(&rest[..digits])
        .and_then(|length| usize::try_from(length).ok())
        .ok_or("a PAX record has no length")?;
    if rest.get(digits) != Some(&b' ') {
        return Err("a PAX record has no space behind its length");
    }
    if length > rest.len() {
        return Err("a PAX record is longer than its header");
    }
    if length <= digits + 1 {
        return Err("a PAX record is shorter than its own length");
    }
    let (record, behind) = rest.split_at(length);
    let Some((b'\n', pair)) = record[digits + 1..].split_last() else {
        return Err("a PAX record does not end with a newline");
    };
    let equals = pair
        .iter()
        .position(|byte| *byte == b'=')
        .ok_or("a PAX record has no equals sign")?;
    let (key, value) = (&pair[..equals], &pair[equals + 1..]);
    if key.is_empty() {
        return Err("a PAX record has no key");
    }
    *rest = behind;
    Ok(Some((key, value)))
}

/// Appends a record.
pub(super) fn push_record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    // Space, equals sign and newline.
    let bare = key.len() + value.len() + 3;
    // The length counts its own digits: more of them may need one more.
    let mut length = bare + digits_of(bare);
    length = bare + digits_of(length);
    records.extend_from_slice(length.to_string().as_bytes());
    records.push(b' ');
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

fn digits_of(number: usize) -> usize {
    let mut digits = 1;
    let mut rest = number / 10;
    while rest > 0 {
        digits += 1;
        rest /= 10;
    }
    digits
}

/// The name of an extended attribute as it stands in a key. GNU tar escapes what would end the key, and the escape.
pub(super) fn encode_xattr_name(name: &[u8]) -> Vec<u8> {
    let mut key = XATTR.to_vec();
    for byte in name {
        match byte {
            b'=' => key.extend_from_slice(b"%3D"),
            b'%' => key.extend_from_slice(b"%25"),
            _ => key.push(*byte),
        }
    }
    key
}

/// The other way. Another `%` stands for itself, as from writers that escape nothing.
pub(super) fn decode_xattr_name(mut key: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(key.len());
    while let Some((first, behind)) = key.split_first() {
        let (byte, behind) = match key {
            [b'%', b'3', b'D', behind @ ..] => (b'=', behind),
            [b'%', b'2', b'5', behind @ ..] => (b'%', behind),
            _ => (*first, behind),
        };
        name.push(byte);
        key = behind;
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (Vec<u8>, Vec<u8>);

    fn all(mut rest: &[u8]) -> Result<Vec<Owned>, &'static str> {
        let mut records = Vec::new();
        while let Some((key, value)) = next_record(&mut rest)? {
            records.push((key.to_vec(), value.to_vec()));
        }
        Ok(records)
    }

    #[test]
    fn records_are_framed_by_their_length() {
        let records = all(b"12 path=a\nb\n27 mtime=1.5\n22 linkpath=e\n").unwrap();
        assert_eq!(records[0], (b"path".to_vec(), b"a\nb".to_vec()));
        assert_eq!(records[1], (b"mtime".to_vec(), b"1.5\n22 linkpath=e".to_vec()));
        assert_eq!(records.len(), 2);
        assert_eq!(all(b"").unwrap(), []);
        assert_eq!(all(b"8 a=b=c\n").unwrap(), [(b"a".to_vec(), b"b=c".to_vec())]);
        assert_eq!(all(b"5 a=\n\0\0\0").unwrap(), [(b"a".to_vec(), Vec::new())]);
    }

    #[test]
    fn whatever_is_no_record_is_refused() {
        for (text, fault) in [
            (&b"a=b\n"[..], "has no length"),
            (b" 6 a=b\n", "has no length"),
            (b"-6 a=b\n", "has no length"),
            (b"99999999999999999999 a=b\n", "has no length"),
            (b"6a=b\n", "no space"),
            (b"6\ta=b\n", "no space"),
            (b"7 a=b\n", "longer than its header"),
            (b"2 a=b\n", "shorter than its own length"),
            (b"0 a=b\n", "shorter than its own length"),
            (b"5 a=b\n", "does not end with a newline"),
            (b"3 \n", "no equals sign"),
            (b"5 ab\n", "no equals sign"),
            (b"5 =b\n", "has no key"),
            (b"6 a=b\n\0\x006 a=b\n", "has no length"),
            (b"6 a=b\n\n", "has no length"),
        ] {
            let error = all(text).unwrap_err();
            assert!(error.contains(fault), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_length_counts_its_own_digits() {
        for value in [0, 3, 4, 5, 90, 91, 92, 93, 988, 989, 990, 9985, 9986] {
            let mut records = Vec::new();
            push_record(&mut records, b"k", &vec![b'v'; value]);
            let text = String::from_utf8(records.clone()).unwrap();
            let length: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(length, records.len());
            assert_eq!(all(&records).unwrap()[0].1.len(), value);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in prop::collection::vec(("[a-zA-Z.%]{1,20}", prop::collection::vec(any::<u8>(), 0..200)), 0..5)) {
            let mut records = Vec::new();
            for (key, value) in &pairs {
                push_record(&mut records, key.as_bytes(), value);
            }
            let expected: Vec<_> = pairs.into_iter().map(|(key, value)| (key.into_bytes(), value)).collect();
            prop_assert_eq!(all(&records).unwrap(), expected);
        }

        #[test]
        fn any_bytes_are_records_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let Ok(records) = all(&bytes) else { return Ok(()) };
            let mut again = Vec::new();
            for (key, value) in &records {
                push_record(&mut again, key, value);
            }
            prop_assert_eq!(all(&again).unwrap(), records);
        }

        #[test]
        fn names_of_attributes_come_back(name in prop::collection::vec(any::<u8>(), 0..20)) {
            let key = encode_xattr_name(&name);
            prop_assert!(!key.contains(&b'='));
            prop_assert_eq!(decode_xattr_name(&key[XATTR.len()..]), name);
        }
    }
}
