//! Archives byte by byte, also wrong ones.

/// An archive that is being put together.
#[derive(Clone, Default)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

pub(crate) type Header = [u8; 512];

/// A ustar header.
pub(crate) fn header(name: &str, size: usize, flag: u8) -> Header {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0001750\0");
    header[116..124].copy_from_slice(b"0001751\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000011\0");
    header[156] = flag;
    header[257..265].copy_from_slice(b"ustar\x0000");
    sealed(header)
}

/// A header in the layout of GNU tar.
pub(crate) fn gnu_header(name: &str, size: usize, flag: u8) -> Header {
    let mut header = header(name, size, flag);
    header[257..265].copy_from_slice(b"ustar  \0");
    sealed(header)
}

/// A header of the seventh edition of Unix.
pub(crate) fn v7_header(name: &str, size: usize, flag: u8) -> Header {
    let mut header = header(name, size, flag);
    header[257..265].fill(0);
    sealed(header)
}

/// The header with its checksum.
pub(crate) fn sealed(mut header: Header) -> Header {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// The header with other bytes in one place.
pub(crate) fn with(mut header: Header, at: usize, bytes: &[u8]) -> Header {
    header[at..at + bytes.len()].copy_from_slice(bytes);
    sealed(header)
}

/// A PAX record.
pub(crate) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let bare = key.len() + value.len() + 3;
    let length = (bare..bare + 20)
        .find(|length| bare + length.to_string().len() == *length)
        .unwrap();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

impl Raw {
    pub(crate) fn block(mut self, block: impl AsRef<[u8]>) -> Self {
        self.0.extend(block.as_ref());
        self
    }

    /// Data and its padding.
    pub(crate) fn data(mut self, data: &[u8]) -> Self {
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, data: &[u8]) -> Self {
        self.block(header(name, data.len(), b'0')).data(data)
    }

    /// A PAX header of type `x` or `g`.
    pub(crate) fn pax(self, flag: u8, records: &[(&str, &[u8])]) -> Self {
        let data: Vec<u8> = records
            .iter()
            .flat_map(|(key, value)| record(key, value))
            .collect();
        self.extension(flag, &data)
    }

    /// A header that extends the next one, with any data.
    pub(crate) fn extension(self, flag: u8, data: &[u8]) -> Self {
        self.block(header("extension", data.len(), flag)).data(data)
    }

    /// A GNU header of type `L` or `K`.
    pub(crate) fn long(self, flag: u8, name: &str) -> Self {
        let data = [name.as_bytes(), b"\0"].concat();
        self.block(gnu_header("././@LongLink", data.len(), flag))
            .data(&data)
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}
