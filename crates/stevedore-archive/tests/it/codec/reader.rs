//! The decoder as a reader.

use super::*;

#[test]
fn what_is_not_compressed_passes_without_a_copy() {
    let bytes = sample(1, 10_000);
    let mut decoder = Decoder::new(&bytes[..], Limits::default());
    assert_eq!(decoder.compression().unwrap(), Compression::None);
    let lent = decoder.fill_buf().unwrap();
    assert!(std::ptr::eq(lent, &raw const bytes[..]));
    decoder.consume(9_990);
    let mut rest = Vec::new();
    decoder.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, bytes[9_990..]);
    assert_eq!((decoder.bytes_read(), decoder.bytes_expanded()), (10_000, 10_000));
}

#[test]
fn short_streams_and_small_pieces_pass_whole() {
    for length in 0..20 {
        let bytes = &b"\x28\xb5\x2fno frame of zstd"[..length];
        for size in 1..8 {
            let mut decoder = Decoder::new(Drip { bytes, size }, Limits::default());
            assert_eq!(decoder.compression().unwrap(), Compression::None);
            assert_eq!(all(&mut decoder).unwrap(), bytes);
            let mut buffered = Vec::new();
            let mut decoder = Decoder::new(Drip { bytes, size }, Limits::default());
            while let Some(&byte) = decoder.fill_buf().unwrap().first() {
                buffered.push(byte);
                decoder.consume(1);
            }
            assert_eq!(buffered, bytes);
        }
    }
}

#[test]
fn the_format_is_seen_in_the_smallest_pieces() {
    let content = sample(1, 1000);
    for profile in [Profile::GZIP, Profile::ZSTD] {
        let bytes = encode(profile, 1, &content);
        let mut decoder = Decoder::new(
            Drip {
                bytes: &bytes,
                size: 1,
            },
            Limits::default(),
        );
        assert_eq!(decoder.compression().unwrap(), profile.compression());
        assert_eq!(all(decoder).unwrap(), content);
    }
}

#[test]
fn small_and_large_reads_give_the_same() {
    let content = sample(2, 600_000);
    let bytes = encode(Profile::GZIP, 1, &content);
    for size in [1, 1000, 128 << 10, 1 << 20] {
        let mut decoder = Decoder::new(&bytes[..], Limits::default());
        let mut read = Vec::new();
        let mut buffer = vec![0; size];
        loop {
            match decoder.read(&mut buffer).unwrap() {
                0 => break,
                length => read.extend_from_slice(&buffer[..length]),
            }
        }
        assert!(read == content, "{size}");
        assert_eq!(decoder.bytes_expanded(), content.len() as u64);
        assert_eq!(decoder.bytes_read(), bytes.len() as u64);
    }
}

#[test]
fn small_and_large_reads_can_be_mixed() {
    let content = sample(2, 600_000);
    let bytes = encode(Profile::ZSTD, 1, &content);
    let mut decoder = Decoder::new(&bytes[..], Limits::default());
    let (mut small, mut large) = (vec![0; 100], vec![0; 400_000]);
    decoder.read_exact(&mut small).unwrap();
    decoder.read_exact(&mut large).unwrap();
    let rest = all(&mut decoder).unwrap();
    assert!([small, large, rest].concat() == content);
    assert_eq!(decoder.read(&mut [0; 10]).unwrap(), 0);
}

#[test]
fn an_error_of_the_format_stays() {
    let mut bytes = encode(Profile::GZIP, 1, b"content");
    bytes.push(b'x');
    let mut decoder = Decoder::new(&bytes[..], Limits::default());
    let mut content = Vec::new();
    let first = decoder.read_to_end(&mut content).unwrap_err();
    assert_eq!(first.kind(), io::ErrorKind::InvalidData);
    let again = decoder.read(&mut [0; 10]).unwrap_err();
    assert_eq!(first.to_string(), again.to_string());
    assert!(decoder.fill_buf().is_err());
}

#[test]
fn errors_say_by_their_kind_what_they_are() {
    let bytes = encode(Profile::GZIP, 1, b"content");
    let kind = |bytes: &[u8], limits| {
        let mut content = Vec::new();
        let mut decoder = Decoder::with_compression(bytes, Compression::Gzip, limits);
        decoder.read_to_end(&mut content).unwrap_err().kind()
    };
    let mut limits = Limits::default();
    assert_eq!(kind(&bytes[..20], limits), io::ErrorKind::UnexpectedEof);
    assert_eq!(kind(b"\x1f\x8b\x07", limits), io::ErrorKind::Unsupported);
    limits.expanded = 1;
    assert_eq!(kind(&bytes, limits), io::ErrorKind::FileTooLarge);
}

/// Fails before each piece.
struct Flaky<'a> {
    drip: Drip<'a>,
    ready: bool,
}

impl Read for Flaky<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(output)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Flaky<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ready = !self.ready;
        if self.ready {
            self.drip.fill_buf()
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    fn consume(&mut self, amount: usize) {
        self.drip.consume(amount);
    }
}

#[test]
fn reading_goes_on_after_an_error_of_the_inner_reader() {
    let content = sample(2, 5_000);
    for bytes in [
        encode(Profile::GZIP, 1, &content),
        encode(Profile::ZSTD, 1, &content),
        content.clone(),
    ] {
        let drip = Drip {
            bytes: &bytes,
            size: 2,
        };
        let mut decoder = Decoder::new(Flaky { drip, ready: true }, Limits::default());
        let (mut read, mut failures) = (Vec::new(), 0_u32);
        let mut buffer = [0; 64];
        loop {
            match decoder.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => read.extend_from_slice(&buffer[..length]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    failures += 1;
                }
            }
        }
        assert!(read == content);
        assert!(failures > 10, "{failures}");
    }
}

#[test]
fn a_promised_format_is_held() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Xz] {
        let error = decode_as(compression, b"").unwrap_err();
        assert!(
            matches!(error, DecodeError::Truncated { offset: 0, .. }),
            "{error:?}"
        );
        let error = decode_as(compression, b"etc/passwd").unwrap_err();
        assert!(
            matches!(error, DecodeError::Corrupt { offset: 0, .. }),
            "{error:?}"
        );
    }
    assert_eq!(
        decode_as(Compression::None, b"\x1f\x8b\x08").unwrap(),
        b"\x1f\x8b\x08"
    );
}

#[test]
fn decoders_and_encoders_can_be_sent_to_threads() {
    fn is_send<T: Send>() {}
    is_send::<Decoder<&[u8]>>();
    is_send::<Encoder<Vec<u8>>>();
}
