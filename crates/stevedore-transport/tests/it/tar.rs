//! Just enough tar (ustar) for the walks: plain files with short names.

use bytes::Bytes;

const BLOCK: usize = 512;

/// One file: header, then content with its padding.
pub(crate) fn entry(name: &str, content: &[u8]) -> Vec<Bytes> {
    let mut header = [0_u8; BLOCK];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[108..115].copy_from_slice(b"0000000");
    header[116..123].copy_from_slice(b"0000000");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut body = content.to_vec();
    body.resize(content.len().next_multiple_of(BLOCK), 0);
    vec![Bytes::copy_from_slice(&header), body.into()]
}

/// The end of an archive.
pub(crate) fn end() -> Bytes {
    Bytes::from_static(&[0; 2 * BLOCK])
}

/// The files of an archive that [`entry`] and [`end`] made.
pub(crate) fn entries(mut archive: &[u8]) -> Vec<(String, Bytes)> {
    let mut entries = Vec::new();
    while archive.first().is_some_and(|byte| *byte != 0) {
        let (header, rest) = archive.split_at(BLOCK);
        let name = header[..100].split(|byte| *byte == 0).next().expect("a name");
        let size = std::str::from_utf8(&header[124..135]).expect("digits");
        let size = usize::from_str_radix(size, 8).expect("a number");
        entries.push((
            String::from_utf8(name.to_vec()).expect("text"),
            Bytes::copy_from_slice(&rest[..size]),
        ));
        archive = &rest[size.next_multiple_of(BLOCK)..];
    }
    assert_eq!(archive, end(), "the archive ends as it should");
    entries
}
