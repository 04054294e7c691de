//! `login`, `logout` and `whoami`.

use std::collections::BTreeMap;

use serde::Serialize;
use stevedore_core::reference::Registry;
use stevedore_registry_client::auth::{Credential, CredentialSources};

use crate::access;
use crate::args::{Access, Identity, Login, Logout, Whoami};
use crate::exit::Failure;
use crate::output;
use crate::output::escape_line;
use crate::settings::Settings;

/// A registry, or a part of it, for which credentials are kept.
struct Keeper {
    registry: Registry,
    /// The repositories, as a path; empty for all.
    path: String,
}

impl Keeper {
    /// As people type it, and as old files have it: `https://index.docker.io/v1/` is Docker Hub.
    fn parse(text: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = text else {
            return Ok(Self {
                registry: Registry::docker_hub(),
                path: String::new(),
            });
        };
        let stripped = text.strip_prefix("docker://").unwrap_or(text);
        let stripped = stripped.split_once("://").map_or(stripped, |(_, rest)| rest);
        let (host, path) = stripped.split_once('/').unwrap_or((stripped, ""));
        let registry = host
            .parse()
            .map_err(|error| Failure::usage(format!("{text:?} is no registry: {error}")))?;
        let path = path.trim_matches('/');
        let is_api = matches!(path, "v1" | "v2");
        let path = if is_api { String::new() } else { path.to_owned() };
        if !path.is_empty() && path.parse::<stevedore_core::reference::Repository>().is_err() {
            return Err(Failure::usage(format!("{path:?} is no part of a registry")));
        }
        Ok(Self { registry, path })
    }
}

impl std::fmt::Display for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.registry.as_str())?;
        if self.path.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.path)
        }
    }
}

pub(crate) async fn login(args: Login, settings: &Settings) -> Result<(), Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        registry: String,
        username: Option<String>,
        stored_in: String,
    }
    let keeper = Keeper::parse(args.registry.as_deref())?;
    let access = Access::from(args.access);
    let name = keeper.to_string();
    let credential = match &access.identity {
        Some(Identity::Nobody) => return Err(Failure::usage("nobody cannot be stored")),
        Some(identity) => access::credential(identity, &name).await?,
        None => access::ask_who(&name).await?,
    };
    let given = CredentialSources::none().with_credential(keeper.registry.as_str(), credential.clone());
    let client = access::client_of(&keeper.registry, &access, settings, given)?;
    let known = client.ping(&keeper.registry).await;
    known.map_err(|error| error.while_doing(format!("cannot log in to {name}")))?;
    let stored_in = access::sources(access.authfile.as_deref())
        .login(&name, &credential)
        .await?;
    let username = credential.username().map(str::to_owned);
    if settings.json {
        return output::json(&Report {
            registry: name,
            username,
            stored_in,
        });
    }
    if !settings.quiet {
        output::note(&format!("stored in {stored_in}"));
    }
    output::line("Login Succeeded!")
}

pub(crate) async fn logout(args: Logout, settings: &Settings) -> Result<(), Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        registry: String,
        removed_from: Vec<String>,
    }
    let sources = access::existing_sources(args.authfile.as_deref())?;
    let keys: Vec<String> = if args.all {
        sources.users().await?.into_keys().collect()
    } else {
        vec![Keeper::parse(args.registry.as_deref())?.to_string()]
    };
    let mut reports = Vec::new();
    for registry in keys {
        let removed_from = sources.logout(&registry).await?;
        if removed_from.is_empty() && !args.all {
            return Err(nobody(&registry));
        }
        reports.push(Report {
            registry,
            removed_from,
        });
    }
    if settings.json {
        return output::json(&reports);
    }
    for report in &reports {
        output::line(&format!(
            "Removed login credentials for {}",
            escape_line(&report.registry)
        ))?;
    }
    Ok(())
}

pub(crate) async fn whoami(args: Whoami, settings: &Settings) -> Result<(), Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Report<'a> {
        registry: &'a str,
        username: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<&'a str>,
    }
    let sources = access::existing_sources(args.authfile.as_deref())?;
    let Some(registry) = args.registry.as_deref() else {
        let users: BTreeMap<String, Option<String>> = sources.users().await?;
        if settings.json {
            let reports = users.iter().map(|(registry, user)| Report {
                registry,
                username: user.as_deref(),
                from: None,
            });
            return output::json(&reports.collect::<Vec<_>>());
        }
        for (registry, user) in &users {
            let user = user.as_deref().unwrap_or(TOKEN);
            output::line(&format!("{}\t{}", escape_line(registry), escape_line(user)))?;
        }
        return Ok(());
    };
    let keeper = Keeper::parse(Some(registry))?;
    let found = sources.find(keeper.registry.as_str(), &keeper.path).await?;
    if found.credential == Credential::Anonymous {
        return Err(nobody(&keeper.to_string()));
    }
    if settings.json {
        return output::json(&Report {
            registry: &keeper.to_string(),
            username: found.credential.username(),
            from: Some(&found.origin),
        });
    }
    output::line(&escape_line(found.credential.username().unwrap_or(TOKEN)))
}

/// What stands for a user's name where there is only a token.
const TOKEN: &str = "(token)";

fn nobody(registry: &str) -> Failure {
    let message = format!("there are no credentials for {registry}");
    Failure::new(stevedore_core::Error::new(stevedore_core::ErrorKind::NotFound, message).into())
}
