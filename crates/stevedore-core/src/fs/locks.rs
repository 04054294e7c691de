//! Locks by key, within this process.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A lock for each key. Only the keys that are locked take memory.
#[derive(Debug)]
pub(super) struct Locks<K> {
    held: Mutex<HashSet<K>>,
    freed: Condvar,
}

/// A key that is locked, until this is dropped.
#[derive(Debug)]
pub(super) struct Guard<'a, K: Eq + Hash> {
    locks: &'a Locks<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> Locks<K> {
    /// Waits for the lock of a key: for blocking threads only.
    pub(super) fn lock(&self, key: &K) -> Guard<'_, K> {
        let mut held = self.held();
        while !held.insert(key.clone()) {
            held = self.freed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        drop(held);
        Guard {
            locks: self,
            key: key.clone(),
        }
    }

    /// Whether somebody holds the lock of a key.
    pub(super) fn is_held(&self, key: &K) -> bool {
        self.held().contains(key)
    }
}

impl<K> Locks<K> {
    fn held(&self) -> MutexGuard<'_, HashSet<K>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
            freed: Condvar::new(),
        }
    }
}

impl<K: Eq + Hash> Drop for Guard<'_, K> {
    fn drop(&mut self) {
        self.locks.held().remove(&self.key);
        self.locks.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn one_at_a_time_holds_a_key() {
        let locks = Locks::default();
        let inside = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _guard = locks.lock(&"a");
                        assert!(locks.is_held(&"a"));
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    }
                });
            }
        });
        assert!(!locks.is_held(&"a"));
    }

    #[test]
    fn keys_do_not_wait_for_each_other() {
        let locks = Locks::default();
        let _one = locks.lock(&1);
        let _other = locks.lock(&2);
        assert!(locks.is_held(&1) && locks.is_held(&2) && !locks.is_held(&3));
    }
}
