//! The faults in force.

use http::Method;

use super::pattern;
use super::{Action, Fault};
use crate::server::Origin;
use crate::wire::Ending;

/// What a fault is matched against.
pub(crate) struct Seen<'a> {
    pub(crate) origin: Origin,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
}

/// All faults that were handed over, spent ones too.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    faults: Vec<Fault>,
}

impl Plan {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Faults that have not hit as often as they should, those that go on for ever left out unless they
    /// never hit at all.
    pub(crate) fn pending(&self) -> usize {
        let owed = |fault: &&Fault| {
            if fault.times == usize::MAX {
                fault.fired == 0
            } else {
                fault.fired < fault.times
            }
        };
        self.faults.iter().filter(owed).count()
    }

    /// What hits this request. Each action comes with how often its fault had hit before.
    pub(crate) fn hits(&mut self, seen: &Seen<'_>) -> Vec<(Action, usize)> {
        let fits = |fault: &Fault| {
            !matches!(fault.action, Action::DropAtAccept(_))
                && fault.origin.is_none_or(|origin| origin == seen.origin)
                && fault.method.as_ref().is_none_or(|method| method == seen.method)
                && pattern::matches(&fault.pattern, seen.path)
        };
        self.faults
            .iter_mut()
            .filter(|fault| fits(fault))
            .filter_map(Fault::fire)
            .collect()
    }

    /// How a connection that was just accepted ends, if it does.
    pub(crate) fn at_accept(&mut self, origin: Origin) -> Option<Ending> {
        let fits = |fault: &Fault| {
            matches!(fault.action, Action::DropAtAccept(_))
                && fault.origin.is_none_or(|aimed| aimed == origin)
        };
        let mut fired = self
            .faults
            .iter_mut()
            .filter(|fault| fits(fault))
            .filter_map(Fault::fire);
        let (Action::DropAtAccept(ending), _) = fired.next()? else {
            return None;
        };
        Some(ending)
    }
}

impl Fault {
    fn fire(&mut self) -> Option<(Action, usize)> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if self.fired >= self.times {
            return None;
        }
        self.fired += 1;
        Some((self.action.clone(), self.fired - 1))
    }
}
