//! What other programs write is read here, and they read what is written here.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use super::*;

/// Runs a program with this input; nothing if it is not installed.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Output> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied];
    let mut child = match child {
        // It may also be there for others only.
        Err(error) if absent.contains(&error.kind()) => return None,
        child => child.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    Some(thread::scope(|scope| {
        // One that refuses its input early breaks the pipe.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    }))
}

#[track_caller]
fn output(ended: Output) -> Vec<u8> {
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    ended.stdout
}

/// Holds the program, with these arguments for compressing and others for the way back, against this crate.
fn compare(test: &str, program: &str, ways: &[&[&str]], back: &[&str], profiles: &[Profile]) {
    let contents = [
        Vec::new(),
        b"x".to_vec(),
        sample(1, 70_000),
        sample(2, 5_000_000),
        vec![0; 3_000_000],
    ];
    for content in &contents {
        for way in ways {
            let Some(ended) = run(program, way, content) else {
                return not_run(test, program);
            };
            let stream = output(ended);
            assert!(decode(&stream).unwrap() == *content, "{way:?}");
        }
        for profile in profiles {
            let stream = encode(*profile, 2, content);
            let Some(ended) = run(program, back, &stream) else {
                return not_run(test, program);
            };
            assert!(output(ended) == *content, "{profile}");
        }
    }
}

fn profiles(
    make: fn(u8) -> Result<Profile, stevedore_archive::codec::LevelError>,
    levels: &[u8],
) -> Vec<Profile> {
    levels.iter().map(|level| make(*level).unwrap()).collect()
}

#[test]
fn gzip_and_this_read_each_other() {
    let ways: &[&[&str]] = &[&["-1"], &["-6"], &["-9"]];
    let ours = profiles(Profile::gzip, &[1, 3, 5, 9]);
    compare("gzip_and_this_read_each_other", "gzip", ways, &["-d"], &ours);
}

#[test]
fn pigz_and_this_read_each_other() {
    let ways: &[&[&str]] = &[&["-p2"], &["-p2", "-i"], &["-p2", "-R"]];
    compare(
        "pigz_and_this_read_each_other",
        "pigz",
        ways,
        &["-d"],
        &[Profile::GZIP],
    );
}

#[test]
fn zstd_and_this_read_each_other() {
    let ways: &[&[&str]] = &[
        &["-q", "-1"],
        &["-q", "-3", "-T2"],
        &["-q", "-9", "--no-check"],
        &["-q", "-3", "--long=27"],
        &["-q", "--adapt"],
    ];
    let ours = profiles(Profile::zstd, &[1, 3, 10]);
    compare(
        "zstd_and_this_read_each_other",
        "zstd",
        ways,
        &["-q", "-d"],
        &ours,
    );
}

#[test]
fn xz_is_read() {
    let ways: &[&[&str]] = &[
        &["-0"],
        &["-2", "-T2", "--block-size=300000"],
        &["-1", "--check=none"],
        &["-1", "--check=sha256"],
        &["-1", "--x86", "--lzma2=preset=1"],
        &["-1", "--delta=dist=4", "--lzma2=preset=1"],
    ];
    compare("xz_is_read", "xz", ways, &["-d"], &[]);
}

/// Python's modules read what is written here, and write what is read here; prints the stream of its arguments.
const PYTHON: &str = "
import sys, gzip, zlib
mode, data = sys.argv[1], sys.stdin.buffer.read()
if mode == 'gzip':
    out = gzip.compress(data, 6)
elif mode == 'gzip-d':
    out = gzip.decompress(data)
elif mode == 'zlib':
    c = zlib.compressobj(9, zlib.DEFLATED, 31, 9, zlib.Z_RLE)
    half = len(data) // 2
    out = c.compress(data[:half]) + c.flush(zlib.Z_FULL_FLUSH) + c.compress(data[half:]) + c.flush()
elif mode == 'lzma':
    import lzma
    half = len(data) // 2
    out = lzma.compress(data[:half], preset=1) + bytes(8) + lzma.compress(data[half:], preset=0) + bytes(4)
sys.stdout.buffer.write(out)
";

#[test]
fn python_and_this_read_each_other() {
    const TEST: &str = "python_and_this_read_each_other";
    let Some(has_lzma) = run("python3", &["-c", "import lzma"], b"") else {
        return not_run(TEST, "python3");
    };
    let mut ways: Vec<&[&str]> = vec![&["-c", PYTHON, "gzip"], &["-c", PYTHON, "zlib"]];
    if has_lzma.status.success() {
        ways.push(&["-c", PYTHON, "lzma"]);
    } else {
        not_run(TEST, "lzma of python3");
    }
    compare(
        TEST,
        "python3",
        &ways,
        &["-c", PYTHON, "gzip-d"],
        &[Profile::GZIP],
    );
}

/// What these programs take for whole is whole here, and what they refuse is refused.
#[test]
fn programs_agree_on_what_is_whole() {
    let content = sample(3, 3_000);
    let gzip = encode(Profile::GZIP, 1, &content);
    let zstd = encode(Profile::ZSTD, 1, &content);
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&content).unwrap();
    let xz = xz.finish().unwrap();
    let tails: [&[u8]; 5] = [b"", b"\0\0\0\0", b"\0", b"x", b"\x1f"];
    for (program, stream) in [("gzip", gzip), ("zstd", zstd), ("xz", xz)] {
        let mut variants: Vec<Vec<u8>> = tails.iter().map(|tail| [&stream[..], tail].concat()).collect();
        variants.extend([1, 4, stream.len() / 2, stream.len() - 3].map(|length| stream[..length].to_vec()));
        variants.push([&stream[..], &stream].concat());
        variants.push([&stream[..], &stream[..stream.len() - 1]].concat());
        for place in [0, 4, 12, stream.len() / 2, stream.len() - 2] {
            let mut variant = stream.clone();
            variant[place] ^= 0x10;
            variants.push(variant);
        }
        for (index, variant) in variants.iter().enumerate() {
            let Some(ended) = run(program, &["-q", "-d"], variant) else {
                not_run("programs_agree_on_what_is_whole", program);
                break;
            };
            let compression = Compression::sniff(&stream);
            let ours = decode_as(compression, variant);
            assert_eq!(
                ours.is_ok(),
                ended.status.success(),
                "{program} {index}: {ours:?}"
            );
            if let Ok(ours) = ours {
                assert!(ours == ended.stdout, "{program} {index}");
            }
        }
    }
}

/// The default level is there so that nobody's layers grow who comes from zlib.
#[test]
fn the_default_of_gzip_is_no_larger_than_that_of_the_program() {
    const TEST: &str = "the_default_of_gzip_is_no_larger_than_that_of_the_program";
    // Programs and text, as in layers.
    let paths = [
        "/usr/bin/bash",
        "/usr/bin/perl",
        "/etc/services",
        "/usr/share/common-licenses/GPL-3",
    ];
    let content: Vec<u8> = paths
        .iter()
        .filter_map(|path| std::fs::read(Path::new(path)).ok())
        .flatten()
        .collect();
    if content.len() < 1 << 20 {
        return not_run(TEST, "files of a Debian");
    }
    let Some(ended) = run("gzip", &["-6"], &content) else {
        return not_run(TEST, "gzip");
    };
    let (theirs, ours) = (output(ended).len(), encode(Profile::GZIP, 1, &content).len());
    assert!(ours <= theirs, "{ours} > {theirs}");
}
