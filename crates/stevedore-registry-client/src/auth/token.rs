//! Bearer tokens: asked for at a token service, kept for as long as they last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{Credential, Scopes, Secret};
use crate::date::{parse_http_date, parse_rfc3339};

/// The bytes of a token service's answer that are read.
pub(crate) const RESPONSE_LIMIT: u64 = 1024 * 1024;

/// How long a token lasts of which nothing else is said (distribution, "Token Authentication").
const DEFAULT_LIFE: Duration = Duration::from_secs(60);

/// A token is not used for the last sixth of its life, but for no more than this: it has to arrive.
const LONGEST_MARGIN: Duration = Duration::from_secs(30);

/// No token is kept longer, whatever its service says.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Tokens that are kept at once.
const MAX_TOKENS: usize = 4096;

/// What a token was asked for with. Tokens are shared by nobody who would have asked otherwise.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) registry: String,
    pub(crate) realm: String,
    pub(crate) service: Option<String>,
    pub(crate) credential: Credential,
    pub(crate) scopes: Scopes,
}

/// A bearer token.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) value: Secret,
    /// The refresh token that is to be shown from now on, where the service gave another one.
    pub(super) next: Option<Secret>,
    /// When it was asked for.
    pub(crate) since: Instant,
    until: Instant,
}

/// The tokens of a client.
#[derive(Default)]
pub(crate) struct Tokens {
    slots: Mutex<HashMap<TokenKey, Arc<Slot>>>,
    /// By realm and the refresh token that was found: the one that has taken its place.
    rotated: Mutex<HashMap<(String, Secret), Arc<Rotation>>>,
}

/// The refresh token that took the place of another one, if one did. Locked while it is shown: the next one to show
/// may come with the answer.
pub(super) type Rotation = tokio::sync::Mutex<Option<Secret>>;

type Slot = tokio::sync::Mutex<Option<Token>>;

/// What a token service answers.
#[derive(Deserialize)]
struct Response {
    token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    /// A number, but not with everybody.
    expires_in: Option<Box<RawValue>>,
    issued_at: Option<Box<RawValue>>,
}

impl Tokens {
    /// The token for a key: the one that is kept, or a new one. Whoever asks for the same while one is fetched waits
    /// for it; if fetching fails, or is given up, the next one tries.
    pub(crate) async fn get<E>(
        &self,
        key: &TokenKey,
        fetch: impl Future<Output = Result<Token, E>>,
    ) -> Result<Token, E> {
        let slot = self.slot(key);
        let mut kept = slot.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.is_good()) {
            return Ok(token.clone());
        }
        let token = fetch.await?;
        *kept = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token, unless it was replaced meanwhile.
    pub(crate) async fn forget(&self, key: &TokenKey, since: Instant) {
        let slot = self.slot(key);
        let mut kept = slot.lock().await;
        if kept.as_ref().is_some_and(|token| token.since <= since) {
            *kept = None;
        }
    }

    /// What became of a refresh token at a realm.
    pub(super) fn rotation(&self, realm: &str, found: &Secret) -> Arc<Rotation> {
        let mut rotated = self.rotated.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (realm.to_owned(), found.clone());
        // A registry may name another realm each time.
        if rotated.len() >= MAX_TOKENS && !rotated.contains_key(&key) {
            rotated.clear();
        }
        Arc::clone(rotated.entry(key).or_default())
    }

    fn slot(&self, key: &TokenKey) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_TOKENS {
            // Who is at it just now keeps its slot.
            slots.retain(|_, slot| {
                slot.try_lock()
                    .map_or(true, |kept| kept.as_ref().is_some_and(Token::is_good))
            });
        }
        if slots.len() >= MAX_TOKENS {
            slots.clear();
        }
        Arc::clone(slots.entry(key.clone()).or_default())
    }
}

impl Token {
    /// Reads a token service's answer. `asked` is when it was asked.
    ///
    /// The error says what is wrong, and nothing of what came.
    pub(crate) fn parse(body: &[u8], headers: &HeaderMap, asked: Instant) -> Result<Self, &'static str> {
        let response: Response =
            serde_json::from_slice(body).map_err(|_| "it is not the JSON of a token response")?;
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let value = filled(response.token).or_else(|| filled(response.access_token));
        let value = value.ok_or("there is no token in it")?;
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token has characters that no token has");
        }
        let text = |raw: Option<Box<RawValue>>| raw.map(|raw| raw.get().trim_matches('"').to_owned());
        let life = text(response.expires_in)
            .and_then(|life| life.parse().ok())
            .and_then(|life: f64| Duration::try_from_secs_f64(life).ok())
            .filter(|life| !life.is_zero())
            .map_or(DEFAULT_LIFE, |life| life.min(LONGEST_LIFE));
        // A token may be older than its answer. Both times are the server's, so our clock does not matter.
        let issued = text(response.issued_at).and_then(|text| parse_rfc3339(&text));
        let now = headers
            .get(header::DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(parse_http_date);
        let age = match (now, issued) {
            (Some(now), Some(issued)) => u64::try_from(now.saturating_sub(issued)).unwrap_or(0),
            _ => 0,
        };
        let margin = (life / 6).min(LONGEST_MARGIN);
        let left = life
            .saturating_sub(margin)
            .saturating_sub(Duration::from_secs(age));
        Ok(Self {
            value: Secret::from(value),
            next: filled(response.refresh_token).map(Secret::from),
            since: asked,
            until: asked + left,
        })
    }

    fn is_good(&self) -> bool {
        Instant::now() < self.until
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_registry_that_names_ever_new_realms_fills_no_memory() {
        let (tokens, found) = (Tokens::default(), Secret::from("found".to_owned()));
        for realm in 0..=MAX_TOKENS {
            drop(tokens.rotation(&format!("https://h/{realm}"), &found));
        }
        assert!(tokens.rotated.lock().expect("no panic").len() <= MAX_TOKENS);
    }

    fn key(scopes: &str) -> TokenKey {
        TokenKey {
            registry: "h".to_owned(),
            realm: "https://h/token".to_owned(),
            service: None,
            credential: Credential::Anonymous,
            scopes: Scopes::parse(scopes),
        }
    }

    fn life(body: &str, date: Option<&str>) -> u64 {
        let mut headers = HeaderMap::new();
        if let Some(date) = date {
            headers.insert(header::DATE, date.parse().expect("a value"));
        }
        let now = Instant::now();
        let token = Token::parse(body.as_bytes(), &headers, now).expect("a token");
        (token.until - now).as_secs()
    }

    #[test]
    fn a_life_has_a_margin_and_bounds() {
        assert_eq!(life(r#"{"token":"t"}"#, None), 50);
        assert_eq!(life(r#"{"access_token":"t","expires_in":300}"#, None), 270);
        assert_eq!(life(r#"{"token":"t","expires_in":"600"}"#, None), 570);
        assert_eq!(life(r#"{"token":"t","expires_in":12.5}"#, None), 10);
        assert_eq!(life(r#"{"token":"t","expires_in":0}"#, None), 50);
        assert_eq!(life(r#"{"token":"t","expires_in":-5}"#, None), 50);
        assert_eq!(life(r#"{"token":"t","expires_in":1e300}"#, None), 50);
        assert_eq!(life(r#"{"token":"t","expires_in":1e9}"#, None), 24 * 3600 - 30);
    }

    #[test]
    fn an_old_token_has_less_left() {
        let body = r#"{"token":"t","expires_in":300,"issued_at":"1994-11-06T08:49:00Z"}"#;
        assert_eq!(life(body, Some("Sun, 06 Nov 1994 08:49:40 GMT")), 230);
        assert_eq!(life(body, Some("Sun, 06 Nov 1994 08:40:00 GMT")), 270);
        assert_eq!(life(body, Some("Sun, 06 Nov 1995 08:40:00 GMT")), 0);
        assert_eq!(life(body, None), 270);
    }

    #[test]
    fn bad_answers_show_nothing() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"token":""}"#,
            r#"{"token":"a b"}"#,
            r#"{"token":"a\r\nX: y"}"#,
            r#"{"token":7}"#,
        ] {
            assert!(
                Token::parse(body.as_bytes(), &HeaderMap::new(), Instant::now()).is_err(),
                "{body}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_fetch_serves_all_who_wait_and_lasts() {
        let tokens = Tokens::default();
        let fetches = AtomicUsize::new(0);
        let get = async |scopes: &str| {
            let fetch = async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let number = fetches.fetch_add(1, Ordering::Relaxed);
                let body = format!(r#"{{"token":"t{number}"}}"#);
                Token::parse(body.as_bytes(), &HeaderMap::new(), Instant::now())
            };
            tokens.get(&key(scopes), fetch).await.expect("a token")
        };
        let all = futures_util::future::join_all((0..20).map(|_| get("repository:a:pull"))).await;
        assert!(all.iter().all(|token| token.value.expose() == "t0"));
        assert_eq!(get("repository:b:pull").await.value.expose(), "t1");
        assert_eq!(get("repository:a:pull").await.value.expose(), "t0");
        tokio::time::advance(Duration::from_secs(51)).await;
        let third = get("repository:a:pull").await;
        assert_eq!(third.value.expose(), "t2");
        // Whoever still saw an older one forgets nothing.
        tokens.forget(&key("repository:a:pull"), all[0].since).await;
        assert_eq!(get("repository:a:pull").await.value.expose(), "t2");
        tokens.forget(&key("repository:a:pull"), third.since).await;
        assert_eq!(get("repository:a:pull").await.value.expose(), "t3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_is_given_up_leaves_the_next_one_its_turn() {
        let tokens = Tokens::default();
        let nothing = key("");
        let never = tokens.get(&nothing, std::future::pending::<Result<Token, &str>>());
        assert!(tokio::time::timeout(Duration::from_secs(1), never).await.is_err());
        let fetch = async { Token::parse(br#"{"token":"t"}"#, &HeaderMap::new(), Instant::now()) };
        assert!(tokens.get(&key(""), fetch).await.is_ok());
    }
}
