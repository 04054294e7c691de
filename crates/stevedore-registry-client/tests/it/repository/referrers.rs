//! Referrers under the fallback tag.

use futures_util::future::{join, join_all};
use stevedore_core::{ImageIndex, Raw};
use stevedore_fault_server::profile::ReferrersApi;

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
    for written in join_all(writes).await {
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

/// A registry that lists no referrers itself.
fn without_list() -> Profile {
    let mut profile = Profile::spec();
    profile.referrers.api = ReferrersApi::NotFound;
    profile.referrers.subject_header = false;
    profile
}

fn note(subject: &Sample, text: &str) -> Sample {
    Sample::artifact(&subject.descriptor(), "application/vnd.example.note", text)
}

/// Fails unless just these refer to a subject.
async fn lists(server: &FaultServer, subject: &Sample, expected: &[&Sample]) {
    let digest = subject.document().digest();
    let listed = all(repository(server).referrers(&digest, ReferrerFilter::all())).await;
    let mut listed: Vec<_> = listed.iter().map(|listed| listed.digest.to_string()).collect();
    listed.sort();
    let digests = expected
        .iter()
        .map(|sample| sample.document().digest().to_string());
    let mut expected: Vec<_> = digests.collect();
    expected.sort();
    assert_eq!(listed, expected, "{}", server.log().summary());
}

#[tokio::test]
async fn a_removal_from_the_fallback_tag_is_not_undone_by_who_read_it_before() {
    let mut profile = without_list();
    profile.manifests.check_references = false;
    let server = FaultServer::start(profile).await;
    let subject = Sample::image(&["one"]);
    let [gone, kept, late] = ["gone", "kept", "late"].map(|text| note(&subject, text));
    let app = repository(&server);
    for sample in [&subject, &gone, &kept] {
        sample.put(&app, &[]).await.expect("written");
    }
    server.clear_log();
    let tag = format!(
        "/v2/team/app/manifests/sha256-{}",
        subject.document().digest().hex()
    );
    server.fail(Fault::delay(Duration::from_millis(500)).on(Method::PUT, &tag));
    let files = async {
        let app = repository(&server);
        late.put(&app, &[]).await
    };
    let removes = async {
        // It has read what is about to be removed, and its write is under way.
        while server.log().count(&Method::PUT, &tag) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.remove(&Selector::Digest(gone.document().digest())).await
    };
    let (filed, removed) = join(files, removes).await;
    filed.unwrap_or_else(|error| panic!("{}", chain(&error)));
    removed.unwrap_or_else(|error| panic!("{}", chain(&error)));
    lists(&server, &subject, &[&kept, &late]).await;
    let log = server.log();
    let puts = log.matching(&Method::PUT, &tag);
    let conditional = puts.iter().all(|put| put.header("if-match").is_some());
    assert!(conditional, "the registry gives an ETag");
}

#[tokio::test]
async fn an_entry_of_what_is_gone_keeps_nobody_from_filing() {
    let server = FaultServer::start(without_list()).await;
    let subject = Sample::image(&["one"]);
    let [gone, kept, late] = ["gone", "kept", "late"].map(|text| note(&subject, text));
    let app = repository(&server);
    for sample in [&subject, &kept] {
        sample.put(&app, &[]).await.expect("written");
    }
    // As somebody leaves it who removes a referrer and does no more.
    let entries = [&gone, &kept].map(|note| note.document().referrer_descriptor());
    let index = ImageIndex::new(entries);
    let index = Raw::encode(&index, MediaType::OCI_INDEX, Algorithm::Sha256).expect("an index");
    let tag = format!("sha256-{}", subject.document().digest().hex());
    server.put_manifest(
        "team/app",
        &[&tag],
        MediaType::OCI_INDEX.as_str(),
        index.bytes().clone(),
    );
    late.put(&app, &[])
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    lists(&server, &subject, &[&kept, &late]).await;
}

#[tokio::test]
async fn a_referrer_that_its_tag_names_already_is_filed_by_the_registry_alone() {
    let server = FaultServer::start(Profile::spec()).await;
    let app = repository(&server);
    let subject = Sample::image(&["subject"]);
    subject.put(&app, &["subject"]).await.expect("written");
    let referrer = Sample::artifact(&subject.descriptor(), "application/x-test", "payload");
    referrer.put(&app, &["referrer"]).await.expect("written");
    let role = Role::Root {
        names: vec!["referrer".parse().expect("a name")],
        replace: false,
    };
    app.put_document(referrer.document(), role)
        .await
        .expect("it is there");
    assert_eq!(server.tags("team/app"), ["referrer", "subject"]);
}
