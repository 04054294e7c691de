//! Referrers under the fallback tag.

use super::*;

#[tokio::test]
async fn referrers_written_at_once_under_the_fallback_tag_are_all_there() {
    let server = FaultServer::start(Profile::ghcr()).await;
    let subject = Sample::image(&["one"]);
    subject
        .put(&repository(&server), &["latest"])
        .await
        .expect("written");
    let artifacts: Vec<_> = (0..6)
        .map(|number| {
            Sample::artifact(
                &subject.descriptor(),
                "application/vnd.example.note",
                &format!("note {number}"),
            )
        })
        .collect();
    let writes = artifacts.iter().map(|artifact| {
        let app = repository(&server);
        async move { artifact.put(&app, &[]).await }
    });
    for written in futures_util::future::join_all(writes).await {
        // It may lose against the others; then it says so.
        if let Err(error) = written {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{}", chain(&error));
            panic!("six writers are not that many: {}", chain(&error));
        }
    }
    let listed =
        all(repository(&server).referrers(&subject.document().digest(), ReferrerFilter::all())).await;
    assert_eq!(listed.len(), artifacts.len());
}
