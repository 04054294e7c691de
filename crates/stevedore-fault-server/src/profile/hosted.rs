//! Registries that are run as a service.

use http::StatusCode;

use super::{
    Auth, Chunks, Deletes, DigestHeader, Etag, Expired, Mount, PASSWORD, Profile, Quota, RangeReport,
    Redirect, ReferrersApi, StorageRefusal, TokenService,
};

/// The largest request with `Content-Range` that GHCR takes, in bytes.
const GHCR_CHUNK: u64 = 4 * 1024 * 1024;
/// The smallest part but the last that ECR takes, in bytes.
const ECR_CHUNK: u64 = 5 * 1024 * 1024;

impl Profile {
    /// What named registries start from: the musts of distribution-spec v1.1.1, the referrers API, and none of
    /// its other liberties. So: no mount without `from`, no single POST, no minimum chunk, no tag parameters
    /// (they came after v1.1.1), no conditional requests, no check of what a manifest refers to.
    pub(super) fn plain(name: &'static str) -> Self {
        let mut profile = Self::spec();
        profile.name = name;
        profile.push.single_post = false;
        profile.push.mount = Mount::From;
        profile.manifests.etag = Etag::Absent;
        profile.manifests.conditional = false;
        profile.manifests.tag_parameters = false;
        profile.manifests.check_references = false;
        profile
    }

    /// Docker Hub.
    ///
    /// - The token service lies on another host, path `/token`, under a service name that is not the host's
    ///   (docker/hub-feedback#2360).
    /// - Tokens are good for 300 s (GoogleContainerTools/jib#691), and anybody gets one for a pull
    ///   (docker/docs#11648).
    /// - A blob is redirected (307) to storage that answers 400 to a request with `Authorization`
    ///   (tetratelabs/car#35), in XML, code `InvalidRequest` (ciiiii/cloudflare-docker-proxy#104).
    /// - Manifest requests carry `ratelimit-limit` and `ratelimit-remaining` in the form `100;w=21600`
    ///   (docker/getting-started#101); a GET counts, a HEAD does not (Docker documentation, "Download rate
    ///   limit"; docker/docs#11648 for the count of GETs).
    /// - Over the quota: 429 with code `TOOMANYREQUESTS` (ScribeMD/docker-cache#829). No thread shows a
    ///   `Retry-After`, so there is none.
    /// - `ETag` of a manifest is its digest in quotes (docker/getting-started#101).
    /// - Every DELETE is 405 `UNSUPPORTED` (docker/hub-feedback#1759, #2360).
    ///
    /// The referrers API is there since 2025 (awslabs/soci-snapshotter#1828); for what was there before see
    /// [`docker_hub_2024`](Self::docker_hub_2024).
    pub fn docker_hub() -> Self {
        let mut profile = Self::plain("docker-hub");
        profile.auth = Auth::Bearer(TokenService {
            service: "hub",
            elsewhere: true,
            anonymous_pull: true,
            ..TokenService::default()
        });
        profile.pull.redirect = Some(Redirect {
            relative: false,
            heads: false,
            digest_header: false,
            refusal: Some(StorageRefusal::MissingContentHash),
        });
        profile.pull.quota = Some(Quota {
            limit: 100,
            window: 21_600,
        });
        profile.manifests.etag = Etag::Digest;
        profile.manifests.deletes = Deletes::None;
        profile
    }

    /// Docker Hub as it was in 2024: it said `OCI-Subject`, but had no referrers API, so clients that trusted
    /// the header lost referrers, and a referrer whose subject was not there yet was refused
    /// (docker/hub-feedback#2372; 404 is what docker/hub-feedback#2307 met a year before). All else as
    /// [`docker_hub`](Self::docker_hub).
    pub fn docker_hub_2024() -> Self {
        let mut profile = Self::docker_hub();
        profile.name = "docker-hub-2024";
        profile.referrers.subject_first = true;
        profile.referrers.api = ReferrersApi::NotFound;
        profile
    }

    /// GitHub's registry.
    ///
    /// - A request with `Content-Range` of more than 4 MiB is 416 `REQUESTED_RANGE_NOT_SATISFIABLE`, "the
    ///   request body is too large and exceeds the maximum permissible limit of 4.00MiB"
    ///   (oras-project/rust-oci-client#35, ocx-sh/ocx#237). A body without `Content-Range` is not held to it
    ///   (openai/tart#179).
    /// - The challenge asks for pull also on a POST (arg-sh/argsh#135).
    /// - The referrers API is answered 303 to a page of the web site on another host, which answers 429 and
    ///   HTML (artifacthub/hub#4785, 2026-04). Until then it was 404 (dataaxiom/ghcr-cleanup-action#13):
    ///   [`ghcr_2024`](Self::ghcr_2024). `OCI-Subject` is not sent (there as well).
    /// - Every DELETE of a manifest is 405 `UNSUPPORTED` (podman-container-tools/skopeo#1880), and so is one of
    ///   an upload session (radius-project/radius#12623).
    /// - Tags come in pages of 100 if `n` is not given; a larger `n` is obeyed (smg-project/smg#2348).
    pub fn ghcr() -> Self {
        let mut profile = Self::plain("ghcr");
        profile.auth = Auth::Bearer(TokenService {
            pull_challenge: true,
            ..TokenService::default()
        });
        profile.push.max_chunk = Some(GHCR_CHUNK);
        profile.push.cancel = false;
        profile.manifests.deletes = Deletes::None;
        profile.lists.page = Some(100);
        profile.referrers.api = ReferrersApi::SeeOther;
        profile.referrers.subject_header = false;
        profile
    }

    /// GitHub's registry as it was in 2024: the referrers API is 404 (dataaxiom/ghcr-cleanup-action#13). All
    /// else as [`ghcr`](Self::ghcr).
    pub fn ghcr_2024() -> Self {
        let mut profile = Self::ghcr();
        profile.name = "ghcr-2024";
        profile.referrers.api = ReferrersApi::NotFound;
        profile
    }

    /// Amazon's registry (the private one).
    ///
    /// - Credentials are those of a user `AWS` (the decoded token of GetAuthorizationToken is `user:password`
    ///   and good for 12 hours: Amazon ECR API Reference, "AuthorizationData"), taken by Basic.
    /// - An expired one is 403, the body being text, not JSON (deis/builder#426).
    /// - A chunk is answered 201 (jdx/mise#11376, oras-project/rust-oci-client#33, regclient/regclient#81).
    /// - From the second chunk on `Range` stays what it was after the first, though all is stored
    ///   (aws/containers-roadmap#2831, the comment that corrects the description).
    /// - Chunks but the last have at least 5 MiB (dotnet/sdk-container-builds#279); not announced. How a
    ///   smaller one is refused was not found; the 400 here is a guess.
    /// - A PUT of a manifest is answered without `Location` (oras-project/rust-oci-client#33,
    ///   apple/swift-container-plugin#27).
    /// - A manifest without `mediaType`, which the spec allows, is 405 `UNSUPPORTED`, "Invalid JSON syntax"
    ///   (containers/image#584, 2019).
    /// - Manifests come without `Docker-Content-Digest` (distribution/distribution#3792).
    /// - An upload into a repository that was not made is cut off (dotnet/sdk-container-builds#279). Here a
    ///   repository is made by [`create_repository`](crate::FaultServer::create_repository) or by putting
    ///   something into it.
    /// - A mount is granted only if a manifest of the source names the blob (aws/containers-roadmap#2860).
    /// - A blob is redirected to storage that answers 400 to `Authorization` (open-policy-agent/opa#6728).
    /// - `OCI-Subject` is sent, but there is no referrers API (sigstore/sigstore-js#1183).
    /// - Lists come in pages of 100 (genuinetools/reg#206).
    ///
    /// For immutable tags see [`ecr_immutable`](Self::ecr_immutable).
    pub fn ecr() -> Self {
        let mut profile = Self::plain("ecr");
        profile.auth = Auth::BasicToken(Expired::Forbidden);
        profile.users = vec![("AWS".to_owned(), PASSWORD.to_owned())];
        profile.push.chunk_status = StatusCode::CREATED;
        profile.push.range = RangeReport::FirstChunk;
        profile.push.min_chunk = Some(ECR_CHUNK);
        profile.push.announce_min_chunk = false;
        profile.push.repositories_exist = true;
        profile.push.mount = Mount::Referenced;
        profile.manifests.location = false;
        profile.manifests.media_type_required = true;
        profile.manifests.digest_header = DigestHeader::OnPut;
        profile.pull.redirect = Some(Redirect {
            relative: false,
            heads: false,
            digest_header: false,
            refusal: Some(StorageRefusal::OneMechanism),
        });
        profile.referrers.api = ReferrersApi::NotFound;
        profile.lists.page = Some(100);
        profile
    }

    /// Amazon's registry, a repository with immutable tags: a tag that exists is not written again, not even
    /// with the same digest (aws/containers-roadmap#2380), the error being `TAG_INVALID` with a text that ends
    /// in "because the tag is immutable" (osscontainertools/kaniko#204; moby/buildkit#3776 says "the
    /// repository"). The status was not found; 400 is what the code has in the Docker registry.
    pub fn ecr_immutable() -> Self {
        let mut profile = Self::ecr();
        profile.name = "ecr-immutable";
        profile.manifests.immutable_tags = true;
        profile
    }

    /// Amazon's public registry: bearer tokens, an expired one being answered 400 without a challenge
    /// (aws/containers-roadmap#2835). Of its other habits nothing was looked up.
    pub fn ecr_public() -> Self {
        let mut profile = Self::plain("ecr-public");
        profile.auth = Auth::Bearer(TokenService {
            expired: Expired::BadRequest,
            ..TokenService::default()
        });
        profile
    }

    /// Google's Artifact Registry.
    ///
    /// - Chunked uploads are not supported (dotnet/sdk-container-builds#287, which quotes the documentation;
    ///   podman-container-tools/skopeo#1101; kitops-ml/kitops#780). How a chunk is refused was not found; the
    ///   400 here is a guess.
    /// - Upload URLs lie under `/artifacts-uploads/namespaces/…`, outside `/v2/`
    ///   (oras-project/rust-oci-client#175).
    /// - A blob is redirected by a relative `Location` (sonatype/nexus-public#1061).
    /// - The token service is `/v2/token` (oras-project/oras#157).
    pub fn gar() -> Self {
        let mut profile = Self::plain("gar");
        profile.auth = Auth::Bearer(TokenService {
            path: "/v2/token",
            ..TokenService::default()
        });
        profile.push.chunks = Chunks::Refused;
        profile.push.session_path =
            Some("/artifacts-uploads/namespaces/project/repositories/images/uploads/");
        profile.pull.redirect = Some(Redirect {
            relative: true,
            heads: false,
            digest_header: false,
            refusal: None,
        });
        profile
    }

    /// Azure's registry.
    ///
    /// - A blob is redirected to storage that answers 400 to `Authorization`, code
    ///   `InvalidAuthenticationInfo`, "not given in the correct format"
    ///   (spring-attic/spring-cloud-dataflow#4412, Azure/acr#217).
    /// - The redirect carries the digest header, the storage does not (Azure/azure-sdk-for-java#33183).
    /// - Tags come 100 in a page (Azure/azure-powershell#16032), at most 1000 whatever `n` says
    ///   (Azure/acr#749, CybercentreCanada/assemblyline-core#1147).
    /// - The token service is `/oauth2/token` (Azure/acr#207). What `az acr login` writes is a refresh token, in
    ///   `identitytoken` (devcontainers/cli#444): [`refresh_token`](crate::FaultServer::refresh_token) makes one.
    pub fn acr() -> Self {
        let mut profile = Self::plain("acr");
        profile.auth = Auth::Bearer(TokenService {
            path: "/oauth2/token",
            ..TokenService::default()
        });
        profile.pull.redirect = Some(Redirect {
            relative: false,
            heads: false,
            digest_header: true,
            refusal: Some(StorageRefusal::WrongFormat),
        });
        profile.lists.page = Some(100);
        profile.lists.max_page = Some(1000);
        profile
    }
}
