//! What this machine needs for a byte and for a file, measured in the run that uses it.
//!
//! CPU seconds of one thread, the least of some rounds: load by others makes them larger, never smaller.

use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

use super::real;
use super::timer::Call;
use crate::Failure;

/// Bytes that pass in one measurement.
const BYTES: usize = 256 << 20;
/// Bytes a call: which of them is cheapest depends on the caches.
const BLOCKS: [usize; 3] = [64 << 10, 256 << 10, 1 << 20];
/// Of which the best counts.
const ROUNDS: usize = 5;
const FILES: u32 = 1000;
const SYNCS: usize = 20;
const EXCHANGES: u32 = 2000;
/// Bytes of a short request, and of its answer.
const MESSAGE: usize = 400;

/// CPU seconds a byte.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// SHA-256, in the cache.
    pub(super) hash: f64,
    /// By whom that was.
    pub(super) hasher: &'static str,
    /// To and from a socket over loopback; what the kernel does meanwhile is charged to either end.
    pub(super) send: f64,
    pub(super) receive: f64,
    /// CPU seconds for a short request and its answer, on a connection that is there.
    pub(super) exchange: f64,
    /// CPU seconds of a process that does nothing.
    pub(super) start: f64,
}

/// The same, for files of a folder.
#[derive(Debug, Default)]
pub(super) struct Medium {
    pub(super) dir: PathBuf,
    /// What the file system calls itself, as `tmpfs`.
    pub(super) kind: String,
    /// CPU seconds a byte, read from the page cache.
    pub(super) read: f64,
    /// CPU seconds a byte, from the cache to the page cache of a new file.
    pub(super) write: f64,
    /// CPU seconds to create a small file and to rename it.
    pub(super) create: f64,
    /// CPU and wall seconds until a small file is durable.
    pub(super) sync: f64,
    pub(super) sync_wall: f64,
}

impl Machine {
    pub(super) fn measure() -> Result<Self, Failure> {
        let block = vec![0x5a; BLOCKS[0]];
        let ours = least(ROUNDS, || {
            let mut hasher = Sha256::new();
            for _ in 0..BYTES / block.len() {
                hasher.update(&block);
            }
            std::hint::black_box(hasher.finalize());
            Ok(())
        })? / real(BYTES as u64);
        let (hash, hasher) = match openssl() {
            Some(theirs) if theirs < ours => (theirs, "openssl"),
            _ => (ours, "sha2"),
        };
        let mut best = (f64::INFINITY, f64::INFINITY);
        for size in BLOCKS {
            for _ in 0..ROUNDS {
                let ends = loopback(size)?;
                if ends.0 + ends.1 < best.0 + best.1 {
                    best = ends;
                }
            }
        }
        Ok(Self {
            hash,
            hasher,
            send: best.0,
            receive: best.1,
            exchange: exchanged()?,
            start: started()?,
        })
    }
}

impl Medium {
    /// Measures in a folder that is there and empty, and leaves it empty.
    pub(super) fn measure(dir: &Path) -> Result<Self, Failure> {
        let file = dir.join("file");
        let (mut read, mut write) = (f64::INFINITY, f64::INFINITY);
        for size in BLOCKS {
            let mut block = vec![0x5a; size];
            for _ in 0..ROUNDS {
                write = write.min(cpu_seconds(|| {
                    let mut file = File::create_new(&file)?;
                    for _ in 0..BYTES / size {
                        file.write_all(&block)?;
                    }
                    Ok(())
                })?);
                read = read.min(cpu_seconds(|| {
                    let mut file = File::open(&file)?;
                    while file.read(&mut block)? > 0 {}
                    Ok(())
                })?);
                fs::remove_file(&file)?;
            }
        }
        let bytes = real(BYTES as u64);
        let (sync, sync_wall) = synced(&file)?;
        Ok(Self {
            dir: dir.to_owned(),
            kind: kind_in(&fs::read_to_string("/proc/self/mounts")?, &dir.canonicalize()?),
            read: read / bytes,
            write: write / bytes,
            create: created(dir)?,
            sync,
            sync_wall,
        })
    }

    /// Whether what is written there is on no disk at all, so that there is nothing to wait for.
    pub(super) fn is_memory(&self) -> bool {
        self.kind == "tmpfs"
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SHA-256 {:.2} GB/s ({}); loopback: send {:.2}, receive {:.2} GB/s, exchange {:.1} us; start {:.1} ms",
            1e-9 / self.hash,
            self.hasher,
            1e-9 / self.send,
            1e-9 / self.receive,
            self.exchange * 1e6,
            self.start * 1e3
        )
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): read {:.2}, write {:.2} GB/s; create and rename {:.1} us, fsync {:.1} us ({:.2} ms wall)",
            self.dir.display(),
            self.kind,
            1e-9 / self.read,
            1e-9 / self.write,
            self.create * 1e6,
            self.sync * 1e6,
            self.sync_wall * 1e3
        )
    }
}

fn least(rounds: usize, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    (0..rounds).try_fold(f64::INFINITY, |least, _| Ok(least.min(cpu_seconds(&mut work)?)))
}

/// CPU seconds that this thread spends.
fn cpu_seconds(work: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    let before = now()?;
    work()?;
    Ok(now()?.saturating_sub(before).as_secs_f64())
}

/// Seconds a byte, if it is there and understood.
fn openssl() -> Option<f64> {
    let arguments = [
        "speed", "-mr", "-evp", "sha256", "-bytes", "65536", "-seconds", "1",
    ];
    let output = Command::new("openssl").args(arguments).output().ok()?;
    openssl_in(&String::from_utf8(output.stdout).ok()?)
}

/// Reads `+F:22:sha256:1772749209.79`: bytes a second.
fn openssl_in(printed: &str) -> Option<f64> {
    let line = printed.lines().find(|line| line.starts_with("+F:"))?;
    let speed: f64 = line.rsplit(':').next()?.parse().ok()?;
    (speed > 0.0).then(|| 1.0 / speed)
}

/// CPU seconds a byte of the sending and of the receiving end.
fn loopback(size: usize) -> Result<(f64, f64), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let receiver = std::thread::spawn(move || {
        // A failure of one thread crosses to the other as text.
        let (mut socket, _) = listener.accept().map_err(|error| error.to_string())?;
        let mut block = vec![0; size];
        cpu_seconds(|| {
            while socket.read(&mut block)? > 0 {}
            Ok(())
        })
        .map_err(|failure| failure.to_string())
    });
    let mut socket = TcpStream::connect(address)?;
    let block = vec![0x5a; size];
    let sent = cpu_seconds(|| {
        for _ in 0..BYTES / size {
            socket.write_all(&block)?;
        }
        Ok(())
    })?;
    drop(socket);
    let received = receiver.join().map_err(|_| "the receiving thread panicked")??;
    let bytes = real(BYTES as u64);
    Ok((sent / bytes, received / bytes))
}

/// CPU seconds of the end that asks.
fn exchanged() -> Result<f64, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut asking = TcpStream::connect(listener.local_addr()?)?;
    let (mut answering, _) = listener.accept()?;
    asking.set_nodelay(true)?;
    answering.set_nodelay(true)?;
    let server = std::thread::spawn(move || {
        let mut message = [0; MESSAGE];
        // It ends with the other end.
        while answering.read_exact(&mut message).is_ok() && answering.write_all(&message).is_ok() {}
    });
    let mut message = [0x5a; MESSAGE];
    let seconds = least(ROUNDS, || {
        for _ in 0..EXCHANGES {
            asking.write_all(&message)?;
            asking.read_exact(&mut message)?;
        }
        Ok(())
    })?;
    drop(asking);
    server.join().map_err(|_| "the answering thread panicked")?;
    Ok(seconds / f64::from(EXCHANGES))
}

/// CPU seconds of `true`.
fn started() -> Result<f64, Failure> {
    let nothing = Call {
        program: PathBuf::from("true"),
        arguments: Vec::new(),
        variables: Vec::new(),
    };
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        best = best.min(nothing.time(20, None)?.cpu);
    }
    Ok(best)
}

/// CPU seconds to write a small file under one name and to rename it to another.
fn created(dir: &Path) -> Result<f64, Failure> {
    let files = dir.join("files");
    let round = || {
        fs::create_dir(&files)?;
        let seconds = cpu_seconds(|| {
            for index in 0..FILES {
                let part = files.join(format!("{index}.part"));
                fs::write(&part, b"a small file")?;
                fs::rename(&part, files.join(index.to_string()))?;
            }
            Ok(())
        })?;
        fs::remove_dir_all(&files)?;
        Ok::<_, Failure>(seconds)
    };
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        best = best.min(round()?);
    }
    Ok(best / f64::from(FILES))
}

/// CPU and wall seconds that syncing a small new file takes: the least and the median.
fn synced(file: &Path) -> Result<(f64, f64), Failure> {
    let (mut least, mut taken) = (f64::INFINITY, Vec::new());
    for _ in 0..SYNCS {
        let mut new = File::create_new(file)?;
        new.write_all(&[0x5a; 4096])?;
        let began = Instant::now();
        least = least.min(cpu_seconds(|| Ok(new.sync_data()?))?);
        taken.push(began.elapsed().as_secs_f64());
        fs::remove_file(file)?;
    }
    Ok((least, super::paired::median(&taken).unwrap_or_default()))
}

/// The type of the file system with the innermost mount point around a folder.
fn kind_in(mounts: &str, dir: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        Some((Path::new(fields.next()?), fields.next()?))
    });
    let innermost = mounts
        .filter(|(point, _)| dir.starts_with(point))
        .max_by_key(|(point, _)| point.components().count());
    innermost.map_or("unknown", |(_, kind)| kind).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_on_the_innermost_mount_around_it() {
        let mounts = "disk / ext4 rw 0 0\nshm /dev/shm tmpfs rw 0 0\nother /dev/shmoo xfs rw 0 0\n";
        assert_eq!(kind_in(mounts, Path::new("/dev/shm/a")), "tmpfs");
        assert_eq!(kind_in(mounts, Path::new("/dev/shmoo")), "xfs");
        assert_eq!(kind_in(mounts, Path::new("/tmp")), "ext4");
        assert_eq!(kind_in("", Path::new("/tmp")), "unknown");
    }

    #[test]
    fn reads_what_openssl_says_of_its_speed() {
        assert_eq!(
            openssl_in("+R:1:sha256:1.0\n+F:22:sha256:2000.00\n"),
            Some(0.0005)
        );
        assert_eq!(openssl_in("+F:22:sha256:0.00"), None);
        assert_eq!(openssl_in("no such digest"), None);
    }
}
