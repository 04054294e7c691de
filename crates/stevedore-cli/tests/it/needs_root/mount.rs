//! A file system in an image file.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::stevedore::not_run;

/// What has to be set for tests that mount something.
const SWITCH: &str = "STEVEDORE_TEST_ROOT";

/// An empty file system, mounted for as long as this lives, also if its test fails.
pub(super) struct Mount {
    /// Has the image and the place where it is mounted.
    dir: TempDir,
}

impl Mount {
    /// Makes a file system of a type, as `mount -t` has it, of this many MiB, with these arguments for its `mkfs`. Where
    /// the machine cannot do that, says which test is not run and why, and gives nothing.
    pub(super) fn new(test: &str, kind: &str, size: u64, arguments: &[&str]) -> Option<Self> {
        let made = Self::try_new(kind, size, arguments);
        made.map_err(|lacks| not_run(test, &lacks)).ok()
    }

    /// Fails with what the machine lacks.
    fn try_new(kind: &str, size: u64, arguments: &[&str]) -> Result<Self, String> {
        if std::env::var_os(SWITCH).is_none() || !rustix::process::geteuid().is_root() {
            return Err("root".to_owned());
        }
        let mount = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        fs::create_dir(mount.path("")).expect("a directory");
        let image = mount.dir.path().join("image");
        let sparse = File::create(&image).expect("a file");
        sparse.set_len(size << 20).expect("a sparse file");

        // The driver in user space has a name of its own.
        let mkfs = format!("mkfs.{}", kind.trim_end_matches("-fuse"));
        let made = run(Command::new(&mkfs).args(arguments).arg(&image))?;
        assert!(made.status.success(), "{mkfs}: {made:?}");
        let device = run(Command::new("losetup").args(["--find", "--show"]).arg(&image))?;
        if !device.status.success() {
            return Err(format!("loop devices: {}", first_line(&device.stderr)));
        }
        let device = first_line(&device.stdout);
        let mounted = run(Command::new("mount")
            .args(["-t", kind, &device])
            .arg(mount.path("")));
        // From now on the device goes with the last one who uses it.
        let detached = run(Command::new("losetup").args(["--detach", &device]))?;
        assert!(detached.status.success(), "{detached:?}");
        let mounted = mounted?;
        let said = String::from_utf8_lossy(&mounted.stderr);
        let unknown = ["unknown filesystem type", "fuse: device not found"];
        if unknown.iter().any(|unknown| said.contains(unknown)) {
            return Err(format!("a system that mounts {kind}"));
        }
        assert!(mounted.status.success(), "{mounted:?}");
        Ok(mount)
    }

    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("mounted").join(name)
    }

    /// A layout in it, as the program is told of one.
    pub(super) fn layout(&self, name: &str) -> String {
        format!("oci:{}", self.path(name).display())
    }

    /// From now on it can only be read.
    pub(super) fn make_read_only(&self) {
        let mut command = Command::new("mount");
        command.args(["-o", "remount,ro"]).arg(self.path(""));
        let ended = run(&mut command).expect("it was there");
        assert!(ended.status.success(), "{ended:?}");
    }

    /// How many bytes are free.
    pub(super) fn free(&self) -> u64 {
        let state = rustix::fs::statvfs(self.path("")).expect("it is mounted");
        state.f_bavail * state.f_frsize
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let place = self.path("");
        if !is_mounted(&place) {
            return;
        }
        let undone = Command::new("umount").arg(&place).status();
        if !undone.is_ok_and(|status| status.success()) {
            // Somebody still has a file open: it then goes with the last one.
            drop(Command::new("umount").arg("--lazy").arg(&place).status());
        }
    }
}

fn is_mounted(place: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("procfs");
    let place = place.display().to_string();
    mounts
        .lines()
        .any(|line| line.split(' ').nth(1) == Some(place.trim_end_matches('/')))
}

/// Runs a tool, or fails with its name where there is none.
pub(super) fn run(command: &mut Command) -> Result<Output, String> {
    // Tools for file systems lie where not everybody looks for programs.
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .env("LC_ALL", "C");
    match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(command.get_program().to_string_lossy().into_owned())
        }
        ended => Ok(ended.expect("it runs")),
    }
}

fn first_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_mount_is_undone_also_when_its_test_fails() {
    let Some(disk) = Mount::new("a_mount_is_undone_also_when_its_test_fails", "ext4", 16, &["-q"]) else {
        return;
    };
    let (place, image) = (disk.path(""), disk.dir.path().join("image"));
    let devices = || {
        let listed = run(Command::new("losetup").arg("--associated").arg(&image)).expect("it was there");
        String::from_utf8(listed.stdout).expect("UTF-8")
    };
    assert!(is_mounted(&place));
    assert_ne!(devices(), "");
    let failed = std::panic::catch_unwind(move || {
        let _disk = disk;
        panic!("the test fails");
    });
    assert!(failed.is_err());
    assert!(!is_mounted(&place));
    assert_eq!(devices(), "", "no loop device is left");
    assert!(!image.exists());
}
