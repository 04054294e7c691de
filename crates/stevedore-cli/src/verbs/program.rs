//! `completion` and `version`: about the program itself.

use serde::Serialize;

use crate::args::Completion;
use crate::exit::Failure;
use crate::output;

pub(crate) fn completion(args: &Completion, json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Report {
        shell: String,
        script: String,
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "stevedore", &mut script);
    if json {
        return output::json(&Report {
            shell: args.shell.to_string(),
            script: String::from_utf8_lossy(&script).into_owned(),
        });
    }
    output::bytes(&script)
}

pub(crate) fn version(json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Report {
        version: &'static str,
    }
    let version = env!("CARGO_PKG_VERSION");
    if json {
        output::json(&Report { version })
    } else {
        output::line(&format!("stevedore {version}"))
    }
}
