//! What is measured, and what of it no program can save.

use super::corpus::Size;
use super::machine::{Machine, Medium};
use super::real;

/// What a row does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    /// The program says its version.
    Start,
    /// From a layout to a layout.
    Copy,
    /// From a layout to a registry.
    Push,
    /// From a registry to a layout.
    Pull,
    /// The three again, with all there already.
    CopyThere,
    PushThere,
    PullThere,
}

/// Seconds of wall that a start may take.
pub(super) const START: f64 = 0.005;
/// Bytes of memory that an image of any size may take.
pub(super) const MEMORY: u64 = 64 << 20;

/// Bytes of an image from which on a row is held to its limit. In a smaller one most is what no constant of the machine
/// tells of: a runtime, a connection, the text of a request.
pub(super) const LIMITED: u64 = 50_000_000;

impl Operation {
    pub(super) const ALL: [Self; 7] = [
        Self::Start,
        Self::Copy,
        Self::CopyThere,
        Self::Push,
        Self::PushThere,
        Self::Pull,
        Self::PullThere,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Copy => "copy",
            Self::Push => "push",
            Self::Pull => "pull",
            Self::CopyThere => "copy-there",
            Self::PushThere => "push-there",
            Self::PullThere => "pull-there",
        }
    }

    /// Whether there is an image in it.
    pub(super) fn moves_image(self) -> bool {
        self != Self::Start
    }

    /// Whether there is a registry in it.
    pub(super) fn needs_registry(self) -> bool {
        matches!(self, Self::Push | Self::Pull | Self::PushThere | Self::PullThere)
    }

    /// How often the program runs for one sample: what is over in milliseconds is told from noise by repeating it.
    pub(super) fn repeats(self) -> u32 {
        match self {
            Self::Start => 20,
            Self::CopyThere | Self::PushThere | Self::PullThere => 5,
            _ => 1,
        }
    }

    /// CPU seconds of one core that an image costs the program at the least: a process, and each byte read or received
    /// once, hashed once, and written or sent once. A blob that is kept is created, renamed and synced; one that is
    /// sent takes two requests, one that is fetched takes one. Nothing moves when all is there.
    pub(super) fn limit(self, image: Size, machine: &Machine, medium: &Medium) -> Option<f64> {
        let kept = medium.create + medium.sync;
        let (byte, blob) = match self {
            Self::Copy => (medium.read + medium.write, kept),
            Self::Push => (medium.read + machine.send, 2.0 * machine.exchange),
            Self::Pull => (medium.receive + medium.write, machine.exchange + kept),
            _ => return None,
        };
        Some(machine.start + real(image.bytes) * (byte + machine.hash) + real(image.blobs) * blob)
    }
}

/// How many times the limit a program may take: parts that don't grow with the image weigh more in a short one.
pub(super) fn allowed(limit: f64) -> f64 {
    if limit < 0.5 { 1.3 } else { 1.2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_byte_once_and_each_blob_once() {
        let machine = Machine {
            hash: 0.5,
            send: 0.25,
            exchange: 4.0,
            start: 1000.0,
            ..Machine::default()
        };
        let medium = Medium {
            read: 1.0,
            write: 2.0,
            receive: 0.125,
            create: 6.0,
            sync: 2.0,
            ..Medium::default()
        };
        let image = Size { bytes: 100, blobs: 3 };
        let limit = |operation: Operation| operation.limit(image, &machine, &medium);
        assert_eq!(limit(Operation::Copy), Some(1000.0 + 350.0 + 24.0));
        assert_eq!(limit(Operation::Push), Some(1000.0 + 175.0 + 24.0));
        assert_eq!(limit(Operation::Pull), Some(1000.0 + 262.5 + 36.0));
        assert_eq!(limit(Operation::CopyThere), None);
    }
}
