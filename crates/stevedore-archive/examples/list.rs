//! Lists a tar archive with the places of its entries: `cargo run --example list -- ARCHIVE`.

use std::fs::File;
use std::io::{self, Write};

use stevedore_archive::tar::Reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("which archive?")?;
    let mut reader = Reader::seekable(File::open(path)?);
    let mut out = io::BufWriter::new(io::stdout().lock());
    while let Some(member) = reader.next_entry()? {
        write!(out, "{:>12} {:>12} ", member.data_offset, member.size)?;
        writeln!(out, "{}", member.path.escape_ascii())?;
    }
    out.flush()?;
    Ok(())
}
