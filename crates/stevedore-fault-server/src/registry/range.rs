//! Byte ranges of a GET (RFC 9110, section 14).

/// What a `Range` header asks for of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// Nothing that is understood: the whole body is sent.
    Whole,
    /// From the first byte to before the second.
    Part(usize, usize),
    Unsatisfiable,
}

/// Reads the header. Several ranges are not understood.
pub(crate) fn parse(header: Option<&str>, length: usize) -> Range {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Range::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Range::Whole;
    };
    if first.is_empty() {
        return match last.parse::<usize>() {
            Ok(0) => Range::Unsatisfiable,
            Ok(suffix) if length > 0 => Range::Part(length.saturating_sub(suffix), length),
            Ok(_) => Range::Unsatisfiable,
            Err(_) => Range::Whole,
        };
    }
    let Ok(first) = first.parse::<usize>() else {
        return Range::Whole;
    };
    let end = if last.is_empty() {
        length
    } else {
        match last.parse::<usize>() {
            // The suite of the spec asks for 416 here, where RFC 9110 would ignore the header.
            Ok(last) if last < first => return Range::Unsatisfiable,
            Ok(last) => length.min(last.saturating_add(1)),
            Err(_) => return Range::Whole,
        }
    };
    if first >= length {
        Range::Unsatisfiable
    } else {
        Range::Part(first, end)
    }
}

/// Reads the `Content-Range` of a chunk, `<first>-<last>` (distribution spec, "Pushing a blob in chunks").
pub(crate) fn parse_chunk(header: &str) -> Option<(u64, u64)> {
    let (first, last) = header.trim().split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_clamped_or_refused() {
        let parse = |header| parse(Some(header), 2048);
        assert_eq!(parse("bytes=500-1499"), Range::Part(500, 1500));
        assert_eq!(parse("bytes=500-"), Range::Part(500, 2048));
        assert_eq!(parse("bytes=-500"), Range::Part(1548, 2048));
        assert_eq!(parse("bytes=-5000"), Range::Part(0, 2048));
        assert_eq!(parse("bytes=2000-5000"), Range::Part(2000, 2048));
        assert_eq!(parse("bytes=500-0"), Range::Unsatisfiable);
        assert_eq!(parse("bytes=5000-10000"), Range::Unsatisfiable);
        assert_eq!(parse("bytes=-0"), Range::Unsatisfiable);
        assert_eq!(parse("bytes=1-2,4-5"), Range::Whole);
        assert_eq!(parse("lines=1-2"), Range::Whole);
    }

    #[test]
    fn chunk_ranges_have_no_unit() {
        assert_eq!(parse_chunk("0-9"), Some((0, 9)));
        assert_eq!(parse_chunk("bytes 0-9/10"), None);
        assert_eq!(parse_chunk("9-0"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_part_lies_in_the_body(header in "bytes=[0-9]{0,22}-[0-9]{0,22}", length in 0_usize..100) {
            if let Range::Part(first, end) = parse(Some(&header), length) {
                proptest::prop_assert!(first < end && end <= length);
            }
        }
    }
}
