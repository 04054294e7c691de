//! Controls: implementations that break one promise each, and the cases that must find it.
//!
//! Every case of the suites is named at least once, so none of them passes whatever it is given.

mod names;
mod names_by_fault;
mod store;
mod store_by_fault;
mod store_ingest;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::Poll;

/// An await that does wait, where a faulty implementation can be dropped or overtaken.
async fn pause() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Fails unless each case is found to fail by some control.
fn assert_all_controlled(all: &[&str], controlled: impl IntoIterator<Item = &'static str>) {
    let controlled: BTreeSet<_> = controlled.into_iter().collect();
    let missing: Vec<_> = all.iter().filter(|case| !controlled.contains(**case)).collect();
    assert!(
        missing.is_empty(),
        "no control makes these cases fail: {missing:?}"
    );
}
