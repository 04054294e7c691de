//! Every OCI document in the layouts and registries that we wrote to passes the schemas of the image-spec.

use std::fs;
use std::path::PathBuf;

use super::tools::Tool;
use super::{Bench, Checked, layouts};

/// The schemas are not in the tree: `STEVEDORE_TESTDATA` says where they are.
pub(super) fn folder() -> Tool {
    let testdata = std::env::var_os("STEVEDORE_TESTDATA").map(PathBuf::from);
    let folder = testdata.map(|testdata| testdata.join("image-spec-schema"));
    Tool::thing(
        "image-spec-schema in STEVEDORE_TESTDATA",
        folder.filter(|folder| folder.is_dir()),
    )
}

/// Has them checked by a validator that is not ours.
pub(super) fn check(bench: &Bench, python: &Tool, registries: &[String]) -> Checked {
    fs::write(bench.dir.join("validate.py"), include_str!("schemas/validate.py"))?;
    let folder = folder();
    // Newer versions of the module would like to be called in another way, which Debian's does not know.
    let mut arguments = vec!["-W", "ignore", "validate.py"];
    arguments.extend(folder.path().to_str());
    arguments.extend(layouts::WRITTEN);
    arguments.extend(registries.iter().map(String::as_str));
    println!("   {}", python.text(&arguments)?);
    Ok(())
}
