//! Registries that people run themselves (some of them are run as a service as well).

use super::{
    Auth, Chunks, Cursor, DigestHeader, Etag, Excess, LocationStyle, MountRefusal, Profile, Redirect,
    ReferrersApi, StorageRefusal, TokenService, UnknownRepository,
};

impl Profile {
    /// Quay.
    ///
    /// - Tags come in pages of 100, named by `last` (deitch/docker_registry2#106); an `n` over the maximum is
    ///   413 (quay/quay#2884; that the maximum is 100 as well is a guess). What it was until 2024 is [`quay_2022`](Self::quay_2022).
    /// - `OCI-Subject` is not sent (opencontainers/distribution-spec#563, seen in 2025), though the referrers
    ///   API is there since 2024 (quay/quay#2597). Referrers that clients then put under the fallback tag are
    ///   merged into the API's answer (quay/quay#6385).
    pub fn quay() -> Self {
        let mut profile = Self::plain("quay");
        profile.auth = Auth::Bearer(TokenService::default());
        profile.lists.max_page = Some(100);
        profile.lists.excess = Excess::TooLarge;
        profile.referrers.subject_header = false;
        profile.referrers.merge_fallback = true;
        profile
    }

    /// Quay until 2024: tags in pages of 50, the next one named by an opaque `next_page`
    /// (deitch/docker_registry2#56), `last` not being looked at (regclient/regclient#272). All else as
    /// [`quay`](Self::quay).
    pub fn quay_2022() -> Self {
        let mut profile = Self::quay();
        profile.name = "quay-2022";
        profile.lists.max_page = Some(50);
        profile.lists.excess = Excess::Clamp;
        profile.lists.cursor = Cursor::Token;
        profile
    }

    /// Harbor.
    ///
    /// - The token service is `/service/token`, service `harbor-registry` (goharbor/harbor#20279).
    /// - Upload URLs are absolute (goharbor/harbor#61) and carry `_state`, which has to come back
    ///   (goharbor/harbor#19573).
    /// - A mount out of a project that is not there is 401 (goharbor/harbor#17097).
    /// - The tags of a repository that is not there are an empty list, with 200 (goharbor/harbor#22363).
    /// - Over S3 a blob is redirected to storage that answers 400 to `Authorization`
    ///   (spring-attic/spring-cloud-dataflow#4065). So is a HEAD, by the registry that Harbor brings along
    ///   (distribution/distribution#3574).
    ///
    /// For Harbor behind a balancer that ends TLS see [`harbor_behind_proxy`](Self::harbor_behind_proxy), for
    /// older ones [`harbor_2_7`](Self::harbor_2_7) and [`harbor_2_8`](Self::harbor_2_8).
    pub fn harbor() -> Self {
        let mut profile = Self::plain("harbor");
        profile.auth = Auth::Bearer(TokenService {
            path: "/service/token",
            service: "harbor-registry",
            ..TokenService::default()
        });
        profile.push.state = true;
        profile.push.location = LocationStyle::Absolute;
        profile.push.unknown_source = MountRefusal::Unauthorized;
        profile.lists.unknown = UnknownRepository::Empty;
        profile.pull.redirect = Some(Redirect {
            relative: false,
            heads: true,
            digest_header: false,
            refusal: Some(StorageRefusal::OneMechanism),
        });
        profile
    }

    /// Harbor whose balancer ends TLS and does not say so: upload URLs are absolute and begin with `http:`
    /// (goharbor/harbor#61, goharbor/harbor#6405; distribution/distribution#996 shows the header). All else as
    /// [`harbor`](Self::harbor). Of use with TLS.
    pub fn harbor_behind_proxy() -> Self {
        let mut profile = Self::harbor();
        profile.name = "harbor-behind-proxy";
        profile.push.location = LocationStyle::Downgraded;
        profile
    }

    /// Harbor 2.7: the referrers API is 401 without a challenge (goharbor/harbor#18305), so `OCI-Subject` is
    /// not sent. All else as [`harbor`](Self::harbor).
    pub fn harbor_2_7() -> Self {
        let mut profile = Self::harbor();
        profile.name = "harbor-2.7";
        profile.referrers.api = ReferrersApi::Unauthorized;
        profile.referrers.subject_header = false;
        profile
    }

    /// Harbor 2.8: the referrers API is there, but `OCI-Subject` is not sent (goharbor/harbor#18865, mended in
    /// 2.9 by goharbor/harbor#18885). All else as [`harbor`](Self::harbor).
    pub fn harbor_2_8() -> Self {
        let mut profile = Self::harbor();
        profile.name = "harbor-2.8";
        profile.referrers.subject_header = false;
        profile
    }

    /// GitLab.
    ///
    /// - There is no referrers API (so no `OCI-Subject` either, which is a guess), and `sha256-<hex>` in place of a tag is answered with the manifest
    ///   `sha256:<hex>` itself: the fallback tag seems to be there, and is the subject
    ///   (oras-project/oras-go#1396).
    /// - The token service lies on another host, path `/jwt/auth`, service `container_registry` (the same
    ///   thread).
    /// - Of two `scope` parameters only the last one counts, so a mount out of another repository lacks its
    ///   scope (estesp/manifest-tool#53, 2017).
    /// - Tokens are good for 5 minutes (moby/moby#33558).
    pub fn gitlab() -> Self {
        let mut profile = Self::plain("gitlab");
        profile.auth = Auth::Bearer(TokenService {
            path: "/jwt/auth",
            service: "container_registry",
            elsewhere: true,
            last_scope_only: true,
            ..TokenService::default()
        });
        profile.referrers.api = ReferrersApi::NotFound;
        profile.referrers.subject_header = false;
        profile.referrers.dashed_digest = true;
        profile
    }

    /// Artifactory.
    ///
    /// - A HEAD of a manifest has no digest header, says `application/octet-stream`, and its `ETag` is a bare
    ///   SHA-1, without quotes (deitch/docker_registry2#83).
    /// - Chunks: the push succeeds, but only the last chunk is stored under the digest of the whole
    ///   (wasmCloud/wasmCloud#3405). So the digest of an upload in chunks is not checked.
    /// - `Accept` on a request that starts an upload is 406 (dotnet/sdk-container-builds#382).
    /// - The `Link` of a page of tags lacks the first segment of the name, the repository key
    ///   (renovatebot/renovate#15030, which has pages of 10,000).
    /// - A cloud instance redirects downloads to storage that answers 400 to `Authorization`
    ///   (jfrog/artifactory-client-java#282).
    pub fn artifactory() -> Self {
        let mut profile = Self::plain("artifactory");
        profile.auth = Auth::Bearer(TokenService::default());
        profile.manifests.digest_header = DigestHeader::NotOnHead;
        profile.manifests.untyped_head = true;
        profile.manifests.etag = Etag::BareOther;
        profile.push.chunks = Chunks::LastOnly;
        profile.push.refuse_accept = true;
        profile.lists.stripped_link = true;
        profile.pull.redirect = Some(Redirect {
            relative: false,
            heads: false,
            digest_header: false,
            refusal: Some(StorageRefusal::OneMechanism),
        });
        profile
    }
}
