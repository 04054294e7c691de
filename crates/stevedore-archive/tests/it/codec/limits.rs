//! Streams that would cost more than they may.

use super::*;

fn limit(bytes: &[u8], change: impl Fn(&mut Limits)) -> Result<Vec<u8>, DecodeError> {
    let mut limits = Limits::default();
    change(&mut limits);
    all(Decoder::new(bytes, limits))
}

#[track_caller]
fn over(result: Result<Vec<u8>, DecodeError>, name: &str, value: u64) {
    match result.unwrap_err() {
        DecodeError::Limit { limit, bound, .. } => assert_eq!((limit, bound), (name, value)),
        other => panic!("{other:?}"),
    }
}

fn xz(content: &[u8], preset: u32) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), preset);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_stream_expands_to_so_many_bytes_at_most() {
    let content = sample(1, 10_000);
    for bytes in [
        encode(Profile::GZIP, 1, &content),
        encode(Profile::ZSTD, 1, &content),
        xz(&content, 1),
    ] {
        assert_eq!(limit(&bytes, |limits| limits.expanded = 10_000).unwrap(), content);
        over(limit(&bytes, |limits| limits.expanded = 9_999), "expanded", 9_999);
        over(limit(&bytes, |limits| limits.expanded = 0), "expanded", 0);
    }
}

#[test]
fn no_byte_over_the_limit_is_handed_out() {
    let bytes = encode(Profile::GZIP, 1, &vec![b'x'; 1_000_000]);
    let mut limits = Limits::default();
    limits.expanded = 300_000;
    let mut decoder = Decoder::new(&bytes[..], limits);
    let mut content = Vec::new();
    decoder.read_to_end(&mut content).unwrap_err();
    assert!(content.len() <= 300_000, "{}", content.len());
}

#[test]
fn a_bomb_is_refused_by_its_ratio_once_it_is_large() {
    let zeros = vec![0; 8 << 20];
    for bytes in [
        encode(Profile::GZIP, 1, &zeros),
        encode(Profile::ZSTD, 1, &zeros),
        xz(&zeros, 1),
    ] {
        let ratio = 8 * 1024 * 1024 / bytes.len() as u64;
        assert!(ratio > 500, "{ratio}");
        over(limit(&bytes, |limits| limits.ratio_from = 1 << 20), "ratio", 500);
        let small_enough = limit(&bytes, |limits| limits.ratio_from = 8 << 20);
        assert_eq!(small_enough.unwrap().len(), zeros.len());
        let unlimited = limit(&bytes, |limits| (limits.ratio_from, limits.ratio) = (0, u64::MAX));
        assert_eq!(unlimited.unwrap().len(), zeros.len());
    }
}

#[test]
fn what_programs_expand_to_is_no_bomb() {
    let content = sample(1, 4 << 20);
    let bytes = encode(Profile::ZSTD, 1, &content);
    assert_eq!(limit(&bytes, |limits| limits.ratio_from = 1).unwrap(), content);
}

#[test]
fn a_window_of_zstd_is_no_larger_than_allowed() {
    use ::zstd::zstd_safe::CParameter;
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(CParameter::WindowLog(20)).unwrap();
    encoder.write_all(&sample(1, 2 << 20)).unwrap();
    let bytes = encoder.finish().unwrap();
    assert_eq!(
        limit(&bytes, |limits| limits.zstd_window_log = 20).unwrap().len(),
        2 << 20
    );
    over(
        limit(&bytes, |limits| limits.zstd_window_log = 19),
        "zstd_window_log",
        19,
    );
    // By default, what a frame of the program may ask for is enough, and the next larger one is not.
    let header = |log: u8| [0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3, 0x0b, 0, 0, b'x'];
    assert_eq!(decode(&header(27)).unwrap(), b"x");
    over(decode(&header(28)), "zstd_window_log", 27);
}

#[test]
fn the_decoder_of_xz_takes_no_more_memory_than_allowed() {
    let content = sample(1, 1000);
    let bytes = xz(&content, 9);
    assert_eq!(decode(&bytes).unwrap(), content);
    over(
        limit(&bytes, |limits| limits.xz_memory = 64 << 20),
        "xz_memory",
        64 << 20,
    );
    over(limit(&bytes, |limits| limits.xz_memory = 0), "xz_memory", 0);
}
