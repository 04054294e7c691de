//! Finding entries by their paths.

use super::raw::{Raw, header, with};
use stevedore_archive::tar::{Index, Indexed, Kind, LookupError, Stream};

fn index(archive: Raw) -> Index {
    let archive = archive.end();
    let streamed = Index::read(
        Stream::new(&archive[..]),
        stevedore_archive::tar::Limits::default(),
    )
    .unwrap();
    let seeked = Index::of_file(std::io::Cursor::new(&archive)).unwrap();
    assert_eq!(streamed.entries().count(), seeked.entries().count());
    seeked
}

fn link(archive: Raw, flag: u8, path: &str, target: &str) -> Raw {
    archive.block(with(header(path, 0, flag), 157, target.as_bytes()))
}

#[track_caller]
fn found<'a>(index: &'a Index, path: &str) -> &'a Indexed {
    index.resolve(path.as_bytes()).unwrap().unwrap()
}

#[test]
fn paths_are_found_however_they_are_spelt() {
    let index = index(Raw::default().file("./a/b", b"x").file("/c", b"yy"));
    for path in ["a/b", "./a/b", "/a//b", "a/./b/"] {
        let entry = found(&index, path);
        assert_eq!((entry.offset, entry.size, entry.kind), (512, 1, Kind::File));
    }
    assert_eq!(index.entry(b"c").unwrap().size, 2);
    assert_eq!(index.resolve(b"d").unwrap(), None);
    assert_eq!(index.entry(b"../c"), None);
    let mut paths: Vec<_> = index.entries().map(|(path, _)| path).collect();
    paths.sort_unstable();
    assert_eq!(paths, [&b"a/b"[..], b"c"]);
}

#[test]
fn the_last_of_several_entries_counts() {
    let index = index(Raw::default().file("a", b"x").file("./a", b"yy"));
    assert_eq!(found(&index, "a").offset, 1536);
}

/// As `docker save` wrote layers that are the same.
#[test]
fn links_lead_to_what_they_stand_for() {
    let archive = Raw::default().file("one/layer.tar", b"x");
    let archive = link(archive, b'2', "two/layer.tar", "../one/layer.tar");
    let archive = link(archive, b'1', "three/layer.tar", "one/layer.tar");
    let archive = link(archive, b'2', "four/layer.tar", "/three/./layer.tar");
    let archive = link(archive, b'2', "five", "four");
    let archive = link(archive, b'1', "six", "./two/layer.tar");
    let index = index(archive);
    for path in [
        "two/layer.tar",
        "three/layer.tar",
        "four/layer.tar",
        "five/layer.tar",
        "six",
    ] {
        assert_eq!(found(&index, path).offset, 512, "{path}");
    }
    assert_eq!(index.entry(b"two/layer.tar").unwrap().kind, Kind::SymbolicLink);
    assert_eq!(index.entry(b"two/layer.tar").unwrap().link, b"../one/layer.tar");
}

#[test]
fn links_that_lead_nowhere_find_nothing() {
    let archive = link(Raw::default(), b'2', "a", "nothing");
    let archive = link(archive, b'1', "b", "nothing");
    let archive = link(archive, b'2', "out", "../a");
    let archive = link(archive, b'1', "up", "x/../a");
    let archive = link(archive, b'2', "dir/out", "../../a");
    let index = index(archive);
    assert_eq!(index.resolve(b"a"), Ok(None));
    assert_eq!(index.resolve(b"b"), Ok(None));
    assert_eq!(index.resolve(b"out"), Err(LookupError::Outside));
    assert_eq!(index.resolve(b"dir/out"), Err(LookupError::Outside));
    assert!(matches!(index.resolve(b"up"), Err(LookupError::Path(_))));
    assert!(matches!(index.resolve(b"../a"), Err(LookupError::Path(_))));
}

#[test]
fn circles_of_links_end() {
    let archive = link(Raw::default(), b'2', "a", "b");
    let archive = link(archive, b'2', "b", "a");
    let archive = link(archive, b'1', "c", "c");
    let archive = link(archive, b'2', "d", "d/d/d/d");
    let index = index(archive);
    for path in ["a", "b", "c", "d"] {
        let error = index.resolve(path.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "there are more than 40 links on the way");
    }
}

#[test]
fn a_chain_of_forty_links_is_followed() {
    let mut archive = Raw::default().file("0", b"x");
    for at in 1..=41 {
        archive = link(archive, b'2', &at.to_string(), &(at - 1).to_string());
    }
    let index = index(archive);
    assert_eq!(found(&index, "40").offset, 512);
    assert!(index.resolve(b"41").is_err());
}

#[test]
fn a_path_that_leads_upwards_is_refused() {
    let archive = Raw::default().file("a", b"").file("b/../../c", b"").end();
    let error = Index::of_file(std::io::Cursor::new(&archive)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "entry \"b/../../c\" at byte 512: its path leads upwards"
    );
}

#[test]
fn sparse_files_keep_their_map() {
    let records: &[(&str, &[u8])] = &[("GNU.sparse.size", b"20"), ("GNU.sparse.map", b"4,3")];
    let index = index(Raw::default().pax(b'x', records).file("a", b"abc"));
    let entry = found(&index, "a");
    assert_eq!((entry.offset, entry.size), (1536, 20));
    assert_eq!(entry.sparse.as_ref().unwrap().len(), 1);
}
