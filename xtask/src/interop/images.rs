//! Images as others make them: by umoci, of a small root file system in several layers.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::tools::Tool;
use super::{Bench, Checked};

/// The layout that umoci makes, with `amd64`, `arm64` and the index `multi`.
pub(super) const ORIGINAL: &str = "original";

/// Makes the layout; index and referrers are put to it by us.
pub(super) fn make(bench: &Bench, assemble: &Tool) -> Checked {
    let umoci = &bench.umocis[0];
    lay_out_files(bench)?;
    umoci.run(&["init", "--layout", ORIGINAL])?;
    umoci.run(&["new", "--image", "original:amd64"])?;
    let insert = ["insert", "--rootless", "--image", "original:amd64"];
    umoci.run(&[&insert[..], &["rootfs", "/"]].concat())?;
    umoci.run(&[&insert[..], &["later", "/etc"]].concat())?;
    umoci.run(&[&insert[..], &["--whiteout", "/etc/old"]].concat())?;
    let config = ["config", "--image", "original:amd64"];
    let settings = [
        "--config.env",
        "PATH=/bin",
        "--config.env",
        "LANG=C",
        "--config.label",
        "a=b",
        "--config.cmd",
        "sh",
    ];
    umoci.run(&[&config[..], &settings[..]].concat())?;
    umoci.run(&[&config[..], &["--tag", "arm64", "--architecture", "arm64"]].concat())?;
    index(assemble, ORIGINAL)
}

/// Puts the images `amd64` and `arm64` of a layout together to the index `multi`, with an artifact for each.
pub(super) fn index(assemble: &Tool, layout: &str) -> Checked {
    let arguments = [layout, "multi", "linux/amd64=amd64", "linux/arm64=arm64"];
    assemble.run(&arguments).map(drop)
}

fn lay_out_files(bench: &Bench) -> Checked {
    let rootfs = bench.dir.join("rootfs");
    for dir in ["bin", "etc", "empty", "usr/share"] {
        fs::create_dir_all(rootfs.join(dir))?;
    }
    let busybox = Tool::find("busybox", &bench.dir);
    fs::copy(busybox.path(), rootfs.join("bin/busybox"))?;
    symlink("busybox", rootfs.join("bin/sh"))?;
    fs::hard_link(rootfs.join("bin/busybox"), rootfs.join("bin/ls"))?;
    fs::write(rootfs.join("etc/old"), "goes in a later layer\n")?;
    fs::write(rootfs.join("etc/secret"), "not for everybody\n")?;
    fs::set_permissions(rootfs.join("etc/secret"), fs::Permissions::from_mode(0o600))?;
    fs::write(rootfs.join("usr/share/ümlaut"), "")?;
    let later = bench.dir.join("later");
    fs::create_dir(&later)?;
    fs::write(later.join("hostname"), "interop\n")?;
    Ok(())
}
