//! Asking a token service for a token.

use std::sync::Arc;

use ::http::{HeaderValue, Method, header};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::Credential;
use super::authorizer::{Service, basic};
use super::realm::{self, Refusal};
use super::token::{RESPONSE_LIMIT, Token, TokenKey};
use crate::client::{Host, Inner};
use crate::error::{Error, Result};
use crate::http::Reach;
use crate::request::{Answer, Call, Content, Identity};
use crate::url::{Url, encode_into};

/// What OAuth2 wants every client to call itself.
const CLIENT_ID: &str = "stevedore";

impl Inner {
    /// Asks a token service. Boxed, for asking is a call, and a call may ask.
    pub(super) fn fetch<'f>(
        &'f self,
        host: &'f Arc<Host>,
        service: &'f Service,
        key: &'f TokenKey,
        who: &'f str,
    ) -> BoxFuture<'f, Result<Token>> {
        async move {
            let registry = host.origin(self).await?;
            let trusted = &host.settings().trusted_realms;
            let with_credentials = key.credential != Credential::Anonymous;
            let realm = realm::check(registry, &service.realm, trusted, with_credentials)
                .map_err(|refusal| refuse(host, &service.realm, &refusal))?;
            let reach = if realm.origin() == registry || realm::is_trusted(realm.origin(), trusted) {
                Reach::Own
            } else {
                service.reach
            };
            let rotation = match &key.credential {
                Credential::Identity { token, .. } => {
                    Some((self.tokens.rotation(&service.realm, token), token))
                }
                _ => None,
            };
            let mut refresh = match &rotation {
                Some((rotation, found)) => Some((rotation.lock().await, *found)),
                None => None,
            };
            let asked = Instant::now();
            let answer = match (&refresh, &key.credential) {
                (Some((rotated, found)), _) => {
                    let form = form(key, rotated.as_ref().unwrap_or(found).expose());
                    self.ask_with_form(&realm, reach, &form).await
                }
                (None, credential) => {
                    self.ask_with_query(&realm, reach, key, basic(credential)?.as_ref())
                        .await
                }
            };
            let (answer, body) = answer.map_err(|error| Self::explain(host, key, who, error))?;
            let token =
                Token::parse(&body, &answer.headers, asked).map_err(|reason| answer.unusable(reason))?;
            if let (Some((rotated, _)), Some(next)) = (&mut refresh, &token.next) {
                **rotated = Some(next.clone());
            }
            Ok(token)
        }
        .boxed()
    }

    async fn ask_with_query(
        &self,
        realm: &Url,
        reach: Reach,
        key: &TokenKey,
        header: Option<&HeaderValue>,
    ) -> Result<(Answer, Bytes)> {
        let scopes: Vec<_> = key.scopes.iter().collect();
        let service = key.service.iter().map(|service| ("service", service.as_str()));
        let account = key.credential.username().map(|name| ("account", name));
        let scopes = scopes.iter().map(|scope| ("scope", scope.as_str()));
        let url = realm.with_query(account.into_iter().chain(service).chain(scopes));
        let identity = Identity::Fixed {
            home: realm.origin(),
            header,
        };
        let mut call = Call::new(Method::GET, url, identity);
        call.reach = reach;
        self.send_whole(&call, RESPONSE_LIMIT).await
    }

    /// OAuth2 (RFC 6749, section 6).
    async fn ask_with_form(&self, realm: &Url, reach: Reach, form: &Bytes) -> Result<(Answer, Bytes)> {
        let identity = Identity::Fixed {
            home: realm.origin(),
            header: None,
        };
        let mut call = Call::new(Method::POST, realm.clone(), identity).header(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        call.content = Content::Bytes(form);
        call.reach = reach;
        // Asking twice gives two tokens, which hurts nobody.
        call.idempotent = true;
        self.send_whole(&call, RESPONSE_LIMIT).await
    }

    fn explain(host: &Host, key: &TokenKey, who: &str, error: Error) -> Error {
        match error {
            Error::Refused(refused) if matches!(refused.status, 400 | 401 | 403) => Error::Unauthorized {
                registry: host.name().to_owned(),
                who: who.to_owned(),
                wanted: if key.scopes.is_empty() {
                    "access".to_owned()
                } else {
                    key.scopes.to_string()
                },
                source: refused,
            },
            error => error,
        }
    }
}

fn refuse(host: &Host, realm: &str, refusal: &Refusal) -> Error {
    let shown = Url::parse(realm).map_or_else(|_| "a place that is no URL".to_owned(), |url| url.redacted());
    Error::Realm {
        registry: host.name().to_owned(),
        realm: shown,
        reason: refusal.to_string(),
    }
}

fn form(key: &TokenKey, refresh_token: &str) -> Bytes {
    let scopes = key.scopes.to_string();
    let mut form = format!("grant_type=refresh_token&client_id={CLIENT_ID}");
    let service = key.service.as_deref().map(|service| ("service", service));
    let scope = (!scopes.is_empty()).then_some(("scope", scopes.as_str()));
    for (name, value) in service
        .into_iter()
        .chain(scope)
        .chain([("refresh_token", refresh_token)])
    {
        form.push('&');
        form.push_str(name);
        form.push('=');
        encode_into(&mut form, value);
    }
    form.into()
}
