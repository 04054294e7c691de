//! The image that the repository holds is the one that the example makes.

use std::collections::BTreeMap;
use std::path::Path;

use stevedore_transport::{Layout, WriteOptions};

#[path = "../../examples/hello_image.rs"]
#[allow(dead_code, unreachable_pub)] // the example's `main`
mod hello_image;

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("below").display().to_string();
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

#[tokio::test]
async fn is_made_again_byte_for_byte() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hello");
    let dir = tempfile::tempdir().expect("a directory");
    let made = dir.path().join("hello");
    let layout = Layout::create(&made, WriteOptions::default()).expect("a layout");
    hello_image::write(layout).await.expect("it is written");
    assert_eq!(files(&made), files(&committed));
}
