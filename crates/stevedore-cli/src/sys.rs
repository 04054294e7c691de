//! What differs between systems.

#[cfg(all(unix, not(stevedore_portable)))]
pub(crate) use self::unix::Unseen;

#[cfg(not(all(unix, not(stevedore_portable))))]
pub(crate) use self::portable::Unseen;

#[cfg(all(unix, not(stevedore_portable)))]
mod unix {
    use std::io;

    use anyhow::Context as _;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    use crate::exit::Failure;

    /// While it lives, what is typed at the terminal is not shown.
    #[derive(Debug)]
    pub(crate) struct Unseen {
        before: Termios,
    }

    impl Unseen {
        pub(crate) fn begin() -> Result<Self, Failure> {
            let hide = || -> io::Result<Self> {
                let before = tcgetattr(io::stdin())?;
                let mut hidden = before.clone();
                hidden.local_modes.remove(LocalModes::ECHO);
                tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
                Ok(Self { before })
            };
            Ok(hide().context("cannot keep the terminal from showing what is typed")?)
        }
    }

    impl Drop for Unseen {
        fn drop(&mut self) {
            // Nothing is left to be done about a terminal that is gone.
            tcsetattr(io::stdin(), OptionalActions::Flush, &self.before).ok();
        }
    }
}

#[cfg(not(all(unix, not(stevedore_portable))))]
mod portable {
    use crate::exit::Failure;

    /// Nothing that is typed can be hidden here.
    #[derive(Debug)]
    pub(crate) struct Unseen;

    impl Unseen {
        pub(crate) fn begin() -> Result<Self, Failure> {
            let failure = Failure::usage("this system cannot keep a terminal from showing what is typed");
            Err(failure.with_hint("--password-stdin, and the password there"))
        }
    }
}
