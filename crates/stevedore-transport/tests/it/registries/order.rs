//! What is sent when.

use http::Method;

use super::*;

#[tokio::test]
async fn the_largest_blob_goes_first() {
    let source = memory();
    let layers: Vec<String> = [100, 300_000, 5, 200_000, 0]
        .iter()
        .map(|length| "x".repeat(*length))
        .collect();
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let sample = Sample::image(&layers);
    sample.put(&*source, &["latest"]).await.expect("written");
    let server = start(Profile::spec()).await;
    let engine = Engine::with(std::num::NonZeroUsize::MIN, 0, Arc::new(()));
    let copied = engine.copy(job(source, open(&server))).await.expect("a copy");
    assert!(copied.written > 0, "{copied:?}");
    let mut sizes: Vec<(String, u64)> = sample
        .blobs()
        .iter()
        .map(|(descriptor, _)| (descriptor.digest.to_string(), descriptor.size))
        .collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let asked: Vec<String> = server
        .requests()
        .iter()
        .filter(|request| request.method == Method::HEAD && request.target.contains("/blobs/"))
        .filter_map(|request| request.target.rsplit('/').next().map(str::to_owned))
        .collect();
    let expected: Vec<String> = sizes.into_iter().map(|(digest, _)| digest).collect();
    assert_eq!(asked, expected);
}
