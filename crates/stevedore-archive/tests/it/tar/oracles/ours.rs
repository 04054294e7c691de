//! Our archives, read by others.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::{gnu, not_run, python};
use stevedore_archive::tar::{Entry, Kind, Timestamp, Writer};

/// Entries of every kind, near the limits of fields and beyond.
fn items() -> Vec<(Entry, Vec<u8>)> {
    let mut items = vec![(Entry::new(Kind::Directory, "dir/"), Vec::new())];
    for (path, size) in [
        ("dir/file".to_owned(), 1300),
        ("empty".to_owned(), 0),
        ("block".to_owned(), 512),
        ("n\u{fc}\nline".to_owned(), 1),
        (format!("{}/{}", "p".repeat(155), "n".repeat(100)), 3),
        ("m".repeat(200), 4),
        (format!("{}name", "deep/".repeat(80)), 5),
    ] {
        items.push((
            Entry::file(path, size),
            (0..size).map(|at| at.to_le_bytes()[0]).collect(),
        ));
    }
    items.push((
        Entry::link(Kind::SymbolicLink, "symbolic", "dir/file"),
        Vec::new(),
    ));
    items.push((
        Entry::link(Kind::SymbolicLink, "far", "t/".repeat(90)),
        Vec::new(),
    ));
    items.push((Entry::link(Kind::HardLink, "hard", "dir/file"), Vec::new()));
    items.push((
        Entry::link(Kind::HardLink, "to-long", "m".repeat(200)),
        Vec::new(),
    ));
    items.push((Entry::new(Kind::Fifo, "fifo"), Vec::new()));
    for (at, (entry, _)) in (1_400_000_000..).zip(&mut items) {
        entry.mtime = Timestamp::new(at);
    }
    items[1].0.mode = 0o4751;
    items[2].0.mtime = Timestamp::new(-77);
    items
}

fn write(archive: &Path, items: &[(Entry, Vec<u8>)]) {
    let mut writer = Writer::new(fs::File::create(archive).unwrap());
    for (entry, content) in items {
        writer.append_from(entry, &mut &content[..]).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn gnu_tar_unpacks_our_archives() {
    if !gnu::is_there() {
        return not_run("gnu_tar_unpacks_our_archives", "GNU tar");
    }
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("ours.tar");
    let items = items();
    write(&archive, &items);
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    gnu::run([
        "--extract".as_ref(),
        "--preserve-permissions".as_ref(),
        "--no-same-owner".as_ref(),
        "--warning=no-timestamp".as_ref(),
        "--file".as_ref(),
        archive.as_os_str(),
        "--directory".as_ref(),
        root.as_os_str(),
    ]);
    for (entry, content) in &items {
        let path = root.join(std::ffi::OsStr::from_bytes(&entry.path));
        let metadata = fs::symlink_metadata(&path).unwrap();
        let target = || items.iter().find(|(other, _)| other.path == entry.link).unwrap();
        match entry.kind {
            Kind::File => assert_eq!(&fs::read(&path).unwrap(), content, "{}", path.display()),
            Kind::HardLink => assert_eq!(fs::read(&path).unwrap(), target().1, "{}", path.display()),
            Kind::SymbolicLink => {
                assert_eq!(fs::read_link(&path).unwrap().as_os_str().as_bytes(), entry.link);
            }
            Kind::Directory => assert!(metadata.is_dir()),
            Kind::Fifo => assert!(metadata.file_type().is_fifo()),
            kind => panic!("{kind:?}"),
        }
        if entry.kind != Kind::HardLink {
            assert_eq!(metadata.mtime(), entry.mtime.seconds, "{}", path.display());
        }
        if entry.kind == Kind::File {
            assert_eq!(
                metadata.permissions().mode() & 0o7777,
                entry.mode,
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn python_reads_our_archives() {
    if !python::is_there() {
        return not_run("python_reads_our_archives", "Python");
    }
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("ours.tar");
    let mut items = items();
    let mut numbers = Entry::file("numbers", 0);
    (numbers.uid, numbers.gid) = (4_294_967_295, 2_097_151);
    numbers.uname = vec![b'u'; 32];
    numbers.gname = b"group".to_vec();
    numbers.xattrs.insert(b"user.a".to_vec(), b"\n\0\xff".to_vec());
    items.push((numbers, Vec::new()));
    write(&archive, &items);
    let told = python::list(&archive);
    assert_eq!(told.len(), items.len());
    for ((entry, content), told) in items.iter().zip(told) {
        assert_eq!(told.path, entry.path.strip_suffix(b"/").unwrap_or(&entry.path));
        assert_eq!(told.link, entry.link);
        assert_eq!(
            (told.uid, told.gid, told.mode),
            (entry.uid, entry.gid, entry.mode)
        );
        assert_eq!(
            (told.uname, told.gname),
            (entry.uname.clone(), entry.gname.clone())
        );
        assert_eq!(told.seconds, entry.mtime.seconds);
        if entry.kind == Kind::File {
            assert_eq!(&told.content, content);
        }
    }
}

#[test]
fn gnu_tar_finds_our_entries_where_we_do() {
    if !gnu::is_there() {
        return not_run("gnu_tar_finds_our_entries_where_we_do", "GNU tar");
    }
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("ours.tar");
    write(&archive, &items());
    let ours = super::super::read(&fs::read(&archive).unwrap()).unwrap();
    let blocks = ours.iter().map(|(entry, _)| {
        let last_header = entry.data_offset / 512 - 1;
        (entry.path.clone(), last_header)
    });
    assert_eq!(gnu::blocks(&archive), blocks.collect());
}
