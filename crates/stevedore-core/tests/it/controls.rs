//! Controls: implementations that break one promise each, and the cases that must find it.
//!
//! Every case of the suites is named at least once, so none of them passes whatever it is given.

/// Runs the cases of a suite on the `Fixture` beside it, by the `CONTROLS` that say which `Fault` each of them finds.
macro_rules! controlled {
    ($($module:ident : $($case:ident),* ;)*) => {
        const ALL: &[&str] = &[$($(stringify!($case)),*),*];

        fn run(case: &str, fixture: &Fixture) -> Outcome {
            match case {
                $($(stringify!($case) => block_on(stevedore_core::suite::$module::$case(fixture)),)*)*
                other => panic!("there is no case {other}"),
            }
        }

        #[test]
        fn what_has_no_fault_passes() {
            for case in ALL {
                if let Err(failure) = run(case, &Fixture::new(Fault::None)) {
                    panic!("{case}: {failure}");
                }
            }
        }

        #[test]
        fn each_fault_is_found() {
            let mut silent = Vec::new();
            for (fault, cases) in CONTROLS {
                for case in *cases {
                    if run(case, &Fixture::new(*fault)).is_ok() {
                        silent.push((fault, case));
                    }
                }
            }
            assert!(silent.is_empty(), "these cases do not see the fault: {silent:?}");
        }

        #[test]
        fn each_case_can_fail() {
            let controlled = CONTROLS.iter().flat_map(|(_, cases)| cases.iter().copied());
            super::assert_all_controlled(ALL, controlled);
        }
    };
}

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
