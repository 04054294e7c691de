//! Python's tarfile.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// What it says of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) flag: u8,
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) size: u64,
    pub(super) offset: u64,
    pub(super) data_offset: u64,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) seconds: i64,
    pub(super) uname: Vec<u8>,
    pub(super) gname: Vec<u8>,
    pub(super) content: Vec<u8>,
}

const LIST: &str = r#"
import math, sys, tarfile
def text(name): return "-" + name.encode("utf-8", "surrogateescape").hex()
with tarfile.open(sys.argv[1], "r:", encoding="utf-8", errors="surrogateescape", errorlevel=2) as archive:
    for it in archive:
        content = archive.extractfile(it).read() if it.isreg() else b""
        print(it.type[0], text(it.name), text(it.linkname), it.size, it.offset, it.offset_data, it.mode & 0o7777,
              it.uid, it.gid, math.floor(it.mtime), text(it.uname), text(it.gname), "-" + content.hex())
"#;

const WRITE: &str = r#"
import io, sys, tarfile
form = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}[sys.argv[2]]
with tarfile.open(sys.argv[1], "w:", format=form, encoding="utf-8", errors="surrogateescape") as archive:
    def add(name, kind, content=b"", **more):
        it = tarfile.TarInfo(name)
        it.type = kind
        it.size = len(content)
        it.mtime = 1500000000
        for key, value in more.items():
            setattr(it, key, value)
        archive.addfile(it, io.BytesIO(content))
    add("dir", tarfile.DIRTYPE, mode=0o1777)
    add("dir/file", tarfile.REGTYPE, b"x" * 1300, uid=1000, gid=1001, uname="me", gname="us", mode=0o4755)
    add("old", tarfile.AREGTYPE, b"old")
    add("contiguous", tarfile.CONTTYPE, b"seven")
    add("dir/link", tarfile.SYMTYPE, linkname="file")
    add("hard", tarfile.LNKTYPE, linkname="dir/file")
    add("fifo", tarfile.FIFOTYPE)
    add("device", tarfile.CHRTYPE, devmajor=8, devminor=17)
    add("disk", tarfile.BLKTYPE, devmajor=259, devminor=300000)
    add("name with \n and \udcff and ü", tarfile.REGTYPE, b"n")
    if form != tarfile.USTAR_FORMAT:
        add("long/" * 60 + "name", tarfile.REGTYPE, b"long")
        add("to far away", tarfile.SYMTYPE, linkname="far/" * 60)
        add("big numbers", tarfile.REGTYPE, b"", uid=4294967294, gid=2097152, mtime=-86400)
    if form == tarfile.PAX_FORMAT:
        add("half a second", tarfile.REGTYPE, b"", mtime=1500000000.5)
        add("known", tarfile.REGTYPE, b"", pax_headers={"SCHILY.xattr.user.a": "b\nc", "comment": "none"})
"#;

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    command
}

pub(super) fn is_there() -> bool {
    static IS_THERE: LazyLock<bool> = LazyLock::new(|| {
        let output = python("import tarfile").output();
        output.is_ok_and(|output| output.status.success())
    });
    *IS_THERE
}

/// Lists an archive.
#[track_caller]
pub(super) fn list(archive: &Path) -> Vec<Told> {
    let output = python(LIST).arg(archive).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(told)
        .collect()
}

/// Writes an archive with its own members in a format.
#[track_caller]
pub(super) fn write(archive: &Path, format: &str) {
    let output = python(WRITE).arg(archive).arg(format).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn told(line: &str) -> Told {
    let fields: Vec<&str> = line.split(' ').collect();
    let text = |at: usize| {
        let digits = fields[at].as_bytes()[1..].chunks(2);
        digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect::<Vec<u8>>()
    };
    let number = |at: usize| fields[at].parse::<u64>().unwrap();
    Told {
        flag: fields[0].parse().unwrap(),
        path: text(1),
        link: text(2),
        size: number(3),
        offset: number(4),
        data_offset: number(5),
        mode: fields[6].parse().unwrap(),
        uid: number(7),
        gid: number(8),
        seconds: fields[9].parse().unwrap(),
        uname: text(10),
        gname: text(11),
        content: text(12),
    }
}
