//! Archives of others, read by us.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use super::super::raw::{Raw, header};
use super::super::{Item, read_all};
use super::tree::{self, Names};
use super::{gnu, not_run, python};
use stevedore_archive::tar::{Kind, Reader};

/// Reads an archive, and compares what Python says of it.
#[track_caller]
fn read(archive: &Path) -> Vec<Item> {
    let items = read_all(Reader::seekable(File::open(archive).unwrap())).unwrap();
    if !python::is_there() {
        // For all of these tests together, which are run without it.
        static SAID: Once = Once::new();
        SAID.call_once(|| not_run("what Python says of archives of GNU tar", "Python"));
        return items;
    }
    let told = python::list(archive);
    for ((entry, content), told) in items.iter().zip(&told) {
        // It takes slashes from the ends of directories.
        let path = entry.path.strip_suffix(b"/").unwrap_or(&entry.path);
        let link = if entry.link.is_empty() {
            &told.link[..]
        } else {
            &entry.link
        };
        let ours = python::Told {
            flag: told.flag,
            path: path.to_vec(),
            link: link.to_vec(),
            size: if entry.kind == Kind::HardLink {
                told.size
            } else {
                entry.size
            },
            offset: entry.offset,
            data_offset: entry.data_offset,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            seconds: entry.mtime.seconds,
            uname: entry.uname.clone(),
            gname: entry.gname.clone(),
            content: content.clone(),
        };
        assert_eq!(&ours, told);
        let kind = match told.flag {
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymbolicLink,
            b'3' => Kind::CharacterDevice,
            b'4' => Kind::BlockDevice,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            flag => Kind::Other(flag),
        };
        assert_eq!(entry.kind, kind, "{:?}", entry.path);
    }
    assert_eq!(items.len(), told.len());
    items
}

/// Makes an archive with GNU tar, and compares it with the files that it was made of.
#[track_caller]
fn check_tree(root: &Path, archive: &Path, options: &[&str]) -> Vec<Item> {
    let mut arguments: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
    arguments.extend(["--create", "--sort=name", "--file"].map(OsStr::new));
    arguments.push(archive.as_os_str());
    arguments.extend([OsStr::new("--directory"), root.as_os_str(), OsStr::new(".")]);
    gnu::run(arguments);
    let items = read(archive);
    for (entry, content) in &items {
        let path = root.join(OsStr::from_bytes(&entry.path));
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert_eq!(
            entry.mode,
            metadata.permissions().mode() & 0o7777,
            "{}",
            path.display()
        );
        assert_eq!(entry.mtime.seconds, metadata.mtime(), "{}", path.display());
        match entry.kind {
            Kind::File => assert!(content == &fs::read(&path).unwrap(), "{}", path.display()),
            Kind::Directory => assert!(metadata.is_dir()),
            Kind::SymbolicLink => {
                assert_eq!(fs::read_link(&path).unwrap().as_os_str().as_bytes(), entry.link);
            }
            Kind::HardLink => {
                let target = fs::metadata(root.join(OsStr::from_bytes(&entry.link))).unwrap();
                assert_eq!(target.ino(), metadata.ino());
            }
            kind => panic!("{kind:?}"),
        }
    }
    let blocks = gnu::blocks(archive);
    assert_eq!(blocks.len(), items.len());
    for (entry, _) in &items {
        let block = blocks[&entry.path];
        // For some entries it is that of their first header, for others that of their last.
        let path = String::from_utf8_lossy(&entry.path);
        let blocks_of_headers = entry.offset / 512..entry.data_offset / 512;
        assert!(
            blocks_of_headers.contains(&block),
            "{path}: {block}, {blocks_of_headers:?}"
        );
    }
    assert_eq!(items.len(), count(root));
    items
}

fn count(path: &Path) -> usize {
    if !fs::symlink_metadata(path).unwrap().is_dir() {
        return 1;
    }
    let entries = fs::read_dir(path).unwrap();
    1 + entries.map(|entry| count(&entry.unwrap().path())).sum::<usize>()
}

#[test]
fn archives_of_gnu_tar_in_all_formats() {
    if !gnu::is_there() {
        return not_run("archives_of_gnu_tar_in_all_formats", "GNU tar");
    }
    let dir = tempfile::tempdir().unwrap();
    for (names, formats) in [
        (Names::Short, &["v7", "ustar"][..]),
        (Names::Long, &["oldgnu", "gnu", "pax"]),
    ] {
        let root = dir.path().join(formats[0]);
        tree::make(&root, names);
        for format in formats {
            let archive = dir.path().join(format!("{format}.tar"));
            let items = check_tree(&root, &archive, &[&format!("--format={format}")]);
            let one = items.iter().find(|(entry, _)| entry.path == b"./one").unwrap();
            let nanoseconds = if *format == "pax" { 250_000_000 } else { 0 };
            assert_eq!(one.0.mtime.nanoseconds, nanoseconds);
        }
    }
}

#[test]
fn sparse_files_of_gnu_tar_in_all_versions() {
    if !gnu::is_there() {
        return not_run("sparse_files_of_gnu_tar_in_all_versions", "GNU tar");
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    for islands in [0, 1, 3, 4, 5, 26, 60] {
        tree::make_sparse(&root.join(format!("{islands}-islands")), islands);
    }
    let is_sparse = fs::metadata(root.join("1-islands")).unwrap().blocks() * 512 < 35_000;
    if !is_sparse {
        return not_run(
            "sparse_files_of_gnu_tar_in_all_versions",
            "a file system with holes",
        );
    }
    for (at, options) in [
        &["--format=oldgnu"][..],
        &["--format=gnu"],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ]
    .iter()
    .enumerate()
    {
        let archive = dir.path().join(format!("{at}.tar"));
        let items = check_tree(&root, &archive, &[&["--sparse"], *options].concat());
        for (entry, _) in items.iter().skip(1) {
            assert!(entry.sparse.is_some(), "{options:?}: {:?}", entry.path);
            assert!(entry.stored < entry.size);
        }
    }
}

#[test]
fn numbers_of_gnu_tar_that_do_not_fit_into_octal() {
    if !gnu::is_there() {
        return not_run("numbers_of_gnu_tar_that_do_not_fit_into_octal", "GNU tar");
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("early"), b"").unwrap();
    tree::set_early_time(&root.join("early"), Duration::from_millis(86_400_750));
    for format in ["gnu", "oldgnu", "pax"] {
        let archive = dir.path().join(format!("{format}.tar"));
        let options = [
            &format!("--format={format}")[..],
            "--owner=someone-with-a-name-of-forty-characters:4294967290",
            "--group=:2097152",
        ];
        let items = check_tree(&root, &archive, &options);
        let early = &items[1].0;
        assert_eq!((early.uid, early.gid), (4_294_967_290, 2_097_152));
        assert_eq!(early.mtime.seconds, -86_401);
        let expected = if format == "pax" { 250_000_000 } else { 0 };
        assert_eq!(early.mtime.nanoseconds, expected);
    }
}

#[test]
fn extended_attributes_of_gnu_tar() {
    if !gnu::is_there() || !python::is_there() {
        return not_run("extended_attributes_of_gnu_tar", "GNU tar and Python");
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), b"x").unwrap();
    let script = r"
import os, sys
os.setxattr(sys.argv[1], b'user.a=b%', b'one\ntwo=\0\xff')
os.setxattr(sys.argv[1], b'user.empty', b'')
";
    let set = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(root.join("file"))
        .output()
        .unwrap();
    if !set.status.success() {
        return not_run(
            "extended_attributes_of_gnu_tar",
            "a file system with user attributes",
        );
    }
    let archive = dir.path().join("a.tar");
    let items = check_tree(
        &root,
        &archive,
        &["--format=pax", "--xattrs", "--xattrs-include=user.*"],
    );
    let xattrs: Vec<_> = items[1].0.xattrs.iter().collect();
    assert_eq!(
        xattrs,
        [
            (&b"user.a=b%".to_vec(), &b"one\ntwo=\0\xff".to_vec()),
            (&b"user.empty".to_vec(), &Vec::new())
        ]
    );
}

#[test]
fn archives_of_python_in_all_formats() {
    if !python::is_there() {
        return not_run("archives_of_python_in_all_formats", "Python");
    }
    let dir = tempfile::tempdir().unwrap();
    for (format, count) in [("ustar", 10), ("gnu", 13), ("pax", 15)] {
        let archive = dir.path().join(format!("{format}.tar"));
        python::write(&archive, format);
        let items = read(&archive);
        assert_eq!(items.len(), count);
        let disk = items.iter().find(|(entry, _)| entry.path == b"disk").unwrap();
        assert_eq!((disk.0.major, disk.0.minor), (259, 300_000));
        if let Some((known, _)) = items.iter().find(|(entry, _)| entry.path == b"known") {
            assert_eq!(known.xattrs[&b"user.a"[..]], b"b\nc");
        }
    }
}

/// Where they say something of an archive that we refuse, they contradict each other, or a later version of themselves.
#[test]
fn python_and_gnu_tar_disagree_on_what_is_refused() {
    if !gnu::is_there() || !python::is_there() {
        return not_run(
            "python_and_gnu_tar_disagree_on_what_is_refused",
            "GNU tar and Python",
        );
    }
    let smuggled = Raw::default().file("smuggled", b"").0;
    let dir = tempfile::tempdir().unwrap();
    let archives = [
        Raw::default()
            .long(b'L', "two")
            .pax(b'x', &[("path", b"one")])
            .file("a", b"")
            .end(),
        Raw::default()
            .long(b'L', "one")
            .long(b'L', "two")
            .file("a", b"")
            .end(),
        Raw::default().block(header("a", 512, b'6')).data(&smuggled).end(),
        Raw::default()
            .pax(b'x', &[("path", b"one")])
            .pax(b'x', &[("path", b"two")])
            .file("a", b"")
            .end(),
    ];
    for (at, archive) in archives.iter().enumerate() {
        let path = dir.path().join(at.to_string());
        File::create(&path).unwrap().write_all(archive).unwrap();
        let theirs: Vec<Vec<u8>> = gnu::blocks(&path).into_keys().collect();
        let mut python: Vec<Vec<u8>> = python::list(&path).into_iter().map(|told| told.path).collect();
        python.sort();
        assert_ne!(theirs, python, "{at}");
        read_all(Reader::seekable(Cursor::new(archive))).unwrap_err();
    }
}
