//! Lists that come later, as streams.

use futures_util::stream::{self, StreamExt as _};
use stevedore_core::Result;
use stevedore_core::stream::BoxStream;

/// The items of a list once it is there, or why it is not.
pub(crate) fn all_of<T: Send + 'static>(
    list: impl Future<Output = Result<Vec<T>>> + Send + 'static,
) -> BoxStream<Result<T>> {
    let items = async {
        let items = match list.await {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(items)
    };
    Box::pin(stream::once(items).flatten())
}
