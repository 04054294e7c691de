//! What a registry asks for in `WWW-Authenticate` (RFC 9110, section 11.6.1).

/// One challenge: a scheme, and either its parameters or one opaque token.
///
/// ```
/// use stevedore_registry_client::auth::Challenge;
///
/// let header = r#"Bearer realm="https://auth.example.com/token",service="registry", Basic realm="x""#;
/// let challenges = Challenge::parse_all([header]);
/// assert_eq!(challenges.len(), 2);
/// assert_eq!(challenges[0].parameter("realm"), Some("https://auth.example.com/token"));
/// assert!(challenges[1].is("basic"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The authentication scheme, in lower case.
    pub scheme: String,
    /// The parameters, their names in lower case. Of a name that comes twice the first one is kept.
    pub parameters: Vec<(String, String)>,
    /// The token of schemes that send one instead of parameters (`token68`).
    pub token: Option<String>,
}

/// More challenges than any server sends; the rest is ignored.
const MAX_CHALLENGES: usize = 16;

/// More parameters than any challenge has; the rest is ignored.
const MAX_PARAMETERS: usize = 32;

impl Challenge {
    /// All challenges of all `WWW-Authenticate` headers of an answer, in order.
    ///
    /// Never fails: what breaks the grammar is left out and reading goes on behind it. An unquoted value may hold
    /// any characters but spaces and commas, for registries exist that do not quote the URL of their realm.
    pub fn parse_all<'h>(headers: impl IntoIterator<Item = &'h str>) -> Vec<Self> {
        let mut challenges = Vec::new();
        for header in headers {
            Reader { rest: header }.read(&mut challenges);
        }
        challenges
    }

    /// Whether the challenge is of this scheme; case does not matter.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter, by its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

struct Reader<'h> {
    rest: &'h str,
}

impl<'h> Reader<'h> {
    fn read(mut self, challenges: &mut Vec<Challenge>) {
        let first = challenges.len();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
            if self.rest.is_empty() {
                return;
            }
            let Some(name) = self.take(is_token) else {
                self.skip_element();
                continue;
            };
            if self.value_follows() {
                let value = self.value();
                // A parameter in front of any scheme belongs to nothing.
                if let (Some(value), Some(challenge)) = (value, challenges[first..].last_mut()) {
                    add(challenge, name, value);
                }
                continue;
            }
            if challenges.len() == MAX_CHALLENGES {
                return;
            }
            let spaced = self.rest.starts_with([' ', '\t']);
            let token = if spaced { self.token68() } else { None };
            challenges.push(Challenge {
                scheme: name.to_ascii_lowercase(),
                parameters: Vec::new(),
                token,
            });
            if !spaced && !self.rest.is_empty() && !self.rest.starts_with(',') {
                challenges.pop();
                self.skip_element();
            }
        }
    }

    /// Takes characters as long as they are of a kind; none is `None`.
    fn take(&mut self, kind: impl Fn(char) -> bool) -> Option<&'h str> {
        let end = self
            .rest
            .find(|character| !kind(character))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!taken.is_empty()).then_some(taken)
    }

    /// Moves behind an equals sign, with the spaces that bad senders put around it.
    fn value_follows(&mut self) -> bool {
        match self.rest.trim_start_matches([' ', '\t']).strip_prefix('=') {
            Some(rest) => {
                self.rest = rest.trim_start_matches([' ', '\t']);
                true
            }
            None => false,
        }
    }

    /// A quoted string or everything up to the next space or comma.
    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return self
                .take(|character| !matches!(character, ' ' | '\t' | ','))
                .map(str::to_owned);
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return Some(value);
                }
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                character => value.push(character),
            }
        }
        // A string that does not end was cut somewhere: nothing of it can be trusted.
        self.rest = "";
        None
    }

    /// A token of the kind that `Negotiate` sends, if the element is just that.
    fn token68(&mut self) -> Option<String> {
        let text = self.rest.trim_start_matches([' ', '\t']);
        let body = text
            .find(|character: char| !(character.is_ascii_alphanumeric() || "-._~+/".contains(character)))
            .unwrap_or(text.len());
        let end = body + text[body..].len() - text[body..].trim_start_matches('=').len();
        let rest = text[end..].trim_start_matches([' ', '\t']);
        if body == 0 || !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        self.rest = rest;
        Some(text[..end].to_owned())
    }

    /// Moves to the next comma that is not quoted.
    fn skip_element(&mut self) {
        let mut quoted = false;
        let mut escaped = false;
        for (at, character) in self.rest.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ',' if !quoted => {
                    self.rest = &self.rest[at..];
                    return;
                }
                _ => {}
            }
        }
        self.rest = "";
    }
}

fn add(challenge: &mut Challenge, name: &str, value: String) {
    let name = name.to_ascii_lowercase();
    if challenge.parameters.len() < MAX_PARAMETERS && challenge.parameter(&name).is_none() {
        challenge.parameters.push((name, value));
    }
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(header: &str) -> Challenge {
        let mut challenges = Challenge::parse_all([header]);
        assert_eq!(challenges.len(), 1, "{challenges:?}");
        challenges.remove(0)
    }

    #[test]
    fn reads_what_docker_hub_sends() {
        let challenge = one(
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",\
             scope=\"repository:library/nginx:pull,push\",error=\"insufficient_scope\"",
        );
        assert_eq!(challenge.scheme, "bearer");
        assert_eq!(challenge.parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(
            challenge.parameter("scope"),
            Some("repository:library/nginx:pull,push")
        );
        assert_eq!(challenge.parameter("error"), Some("insufficient_scope"));
    }

    #[test]
    fn reads_several_in_one_header_and_in_several() {
        let challenges = Challenge::parse_all([
            "Negotiate, NTLM abc/+==, Basic realm=\"a, b\" , bEaReR Realm=\"https://x/\" ,\tservice = s",
            "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"",
        ]);
        let schemes: Vec<_> = challenges
            .iter()
            .map(|challenge| challenge.scheme.as_str())
            .collect();
        assert_eq!(schemes, ["negotiate", "ntlm", "basic", "bearer", "newauth"]);
        assert_eq!(challenges[1].token.as_deref(), Some("abc/+=="));
        assert_eq!(challenges[2].parameter("realm"), Some("a, b"));
        assert_eq!(challenges[3].parameter("service"), Some("s"));
        assert_eq!(challenges[4].parameter("title"), Some("Login to \"apps\""));
    }

    #[test]
    fn reads_unquoted_urls() {
        let challenge = one("Bearer realm=https://x/token?a=b,service=s");
        assert_eq!(challenge.parameter("realm"), Some("https://x/token?a=b"));
        assert_eq!(challenge.parameter("service"), Some("s"));
    }

    #[test]
    fn keeps_the_first_of_two_realms() {
        let challenge = one("Bearer realm=\"https://good/\",realm=\"https://evil/\"");
        assert_eq!(challenge.parameter("realm"), Some("https://good/"));
    }

    #[test]
    fn takes_no_parameter_from_another_header() {
        let challenges = Challenge::parse_all(["Bearer service=s", "realm=\"https://evil/\""]);
        assert_eq!(challenges.len(), 1);
        assert_eq!(challenges[0].parameter("realm"), None);
    }

    #[test]
    fn leaves_out_what_is_broken() {
        assert_eq!(one("Bearer realm=\"https://x/").parameters, []);
        assert_eq!(one("\"junk, junk\", Basic realm=x").scheme, "basic");
        assert!(Challenge::parse_all(["", ",,, ,", "=x", "\"", "(\u{e9})", "realm=\"x\""]).is_empty());
    }

    #[test]
    fn is_bounded() {
        let many = "Basic, ".repeat(100_000);
        assert_eq!(Challenge::parse_all([many.as_str()]).len(), MAX_CHALLENGES);
        let parameters: Vec<_> = (0..1000).map(|number| format!("p{number}=1")).collect();
        let wide = format!("Bearer {}", parameters.join(","));
        assert_eq!(one(&wide).parameters.len(), MAX_PARAMETERS);
    }

    fn quote(value: &str) -> String {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }

    proptest! {
        #[test]
        fn never_panics(header in ".{0,200}") {
            drop(Challenge::parse_all([header.as_str()]));
        }

        #[test]
        fn never_panics_on_what_looks_right(header in "[Ba =,\"\\\\\u{e9}/]{0,60}") {
            drop(Challenge::parse_all([header.as_str()]));
        }

        #[test]
        fn reads_back_any_quoted_value(values in prop::collection::vec("[ -~]{0,20}", 1..6)) {
            let parameters: Vec<_> =
                values.iter().enumerate().map(|(at, value)| format!("p{at}={}", quote(value))).collect();
            let header = format!("Bearer {}, Basic realm=\"end\"", parameters.join(", "));
            let challenges = Challenge::parse_all([header.as_str()]);
            prop_assert_eq!(challenges.len(), 2);
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(challenges[0].parameter(&format!("p{at}")), Some(value.as_str()));
            }
        }
    }
}
