//! The streams of the seams.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;

/// A boxed stream that owns what it reads from.
pub type BoxStream<T> = Pin<Box<dyn Stream<Item = T> + Send + 'static>>;

/// The next item of a stream, or `None` at its end.
pub async fn next<S: Stream + Unpin + ?Sized>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
