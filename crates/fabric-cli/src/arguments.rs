//! The arguments that every command has, and the client that follows from them.

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use fabric_client::{Client, Credentials, CredentialsChain, Environment};
use fabric_model::ProjectId;

use crate::failure::Failure;
use crate::output::Output;

/// Huawei Cloud DataArts Fabric, from the command line: `fabric RESOURCE VERB`.
///
/// Credentials: a token in FABRIC_AUTH_TOKEN; else an access key in HUAWEICLOUD_SDK_AK and
/// HUAWEICLOUD_SDK_SK; else a user in OS_USERNAME, OS_PASSWORD and OS_USER_DOMAIN_NAME, who is signed
/// in; else the access key in ~/.huaweicloud/credentials, in its section basic.
///
/// The project: --project-id; else that of the credentials, such as HUAWEICLOUD_SDK_PROJECT_ID or, for a
/// user, OS_PROJECT_NAME; else the one with the name of the region.
///
/// Exit status: 0 done, 1 rejected, 2 misused, 3 not found, 4 not allowed, 5 the service cannot be
/// reached, 6 the awaited status cannot be reached any more, 7 it was not reached in time.
#[derive(Debug, Parser)]
#[command(
    name = "fabric",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[expect(clippy::doc_markdown, reason = "it is shown on a terminal")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) general: General,

    #[command(subcommand)]
    pub(crate) command: Option<Extra>,
}

/// Behind all resources in the help.
const EXTRA: usize = 900;

/// The commands that are no operations.
#[derive(Debug, Subcommand)]
pub(crate) enum Extra {
    /// Check that the service is up
    #[command(display_order = EXTRA)]
    Health,
    /// Show who calls: user, domain, project, endpoint, and when the token expires
    #[command(display_order = EXTRA)]
    Whoami,
    /// Print the completions of a shell
    #[command(display_order = EXTRA)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The arguments that every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "General options")]
#[expect(clippy::doc_markdown, reason = "it is shown on a terminal")]
pub(crate) struct General {
    /// The address of the service, such as `https://fabric.cn-north-4.myhuaweicloud.com`; without it and
    /// --region, that of FABRIC_ENDPOINT or FABRIC_REGION
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,

    /// The region of the service, such as cn-north-4
    #[arg(long, global = true)]
    region: Option<String>,

    /// The project, in place of that of the credentials and of the region
    #[arg(long, global = true, value_name = "ID")]
    project_id: Option<ProjectId>,

    /// Presents no credentials, for a mock server that accepts any caller
    #[arg(long, global = true)]
    anonymous: bool,

    /// A certificate to trust besides those of the system, in PEM
    #[arg(long, global = true, value_name = "FILE", env = "FABRIC_CA_CERT")]
    ca_cert: Option<PathBuf>,

    /// Allows an http endpoint on another machine, where the network can read what is sent
    #[arg(long, global = true)]
    allow_plain_http: bool,

    /// The longest time for a call, retries included
    #[arg(long, global = true, value_name = "DUR", default_value = "60s")]
    timeout: humantime::Duration,

    /// The form of results
    #[arg(long, short, global = true, value_enum, default_value = "table")]
    pub(crate) output: Output,
}

impl Arguments {
    /// The names of the general flags, which no field of an operation can have.
    pub(crate) fn reserved(command: &clap::Command) -> Vec<String> {
        let long = |argument: &clap::Arg| argument.get_long().map(str::to_owned);
        let known = ["help", "json", "most"].map(str::to_owned);
        command.get_arguments().filter_map(long).chain(known).collect()
    }
}

impl General {
    pub(crate) fn of(matches: &clap::ArgMatches) -> Result<Self, Failure> {
        Self::from_arg_matches(matches).map_err(|error| Failure::misused(error.to_string()))
    }

    /// The client that these arguments and the environment ask for.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let environment = Environment::of_process();
        let (mut endpoint, mut region) = (self.endpoint.clone(), self.region.clone());
        if endpoint.is_none() && region.is_none() {
            endpoint = environment.get("FABRIC_ENDPOINT");
            region = environment.get("FABRIC_REGION");
        }
        let mut builder = match (endpoint, region) {
            // Global flags can stand on either side of a subcommand, where clap does not compare them.
            (Some(_), Some(_)) if self.endpoint.is_some() => {
                return Err(Failure::misused(
                    "--endpoint and --region exclude each other: give one",
                ));
            }
            (Some(endpoint), _) => Client::builder(&endpoint),
            (None, Some(region)) => Client::for_region(&region),
            (None, None) => {
                return Err(Failure::misused("where is the service? give --region or --endpoint")
                    .or_hint("such as --region cn-north-4, or --endpoint http://127.0.0.1:8080"));
            }
        };
        builder = builder.user_agent(concat!("fabric/", env!("CARGO_PKG_VERSION")));
        builder = match environment.get("FABRIC_AUTH_TOKEN") {
            _ if self.anonymous => builder.credentials(Credentials::anonymous()),
            Some(token) => builder.auth_token(token),
            None => builder.credentials_provider(CredentialsChain::new(environment)),
        };
        if let Some(project) = &self.project_id {
            builder = builder.project_id(project.clone());
        }
        if let Some(path) = &self.ca_cert {
            let pem = std::fs::read_to_string(path).map_err(|error| {
                Failure::misused(format!("cannot read {}: {error}", path.display()))
            })?;
            builder = builder.root_certificate(pem);
        }
        if self.allow_plain_http {
            builder = builder.allow_plain_http();
        }
        Ok(builder.timeout(self.timeout.into()).build()?)
    }
}
