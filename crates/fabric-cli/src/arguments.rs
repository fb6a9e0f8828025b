//! What can be said on the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use fabric_client::model::access_client::AccessConnectionCreate;
use fabric_client::model::{AccessClientId, ProjectId, VpcId};

use crate::output::Output;

/// Huawei Cloud DataArts Fabric access clients, from the command line.
///
/// Credentials: a token in FABRIC_AUTH_TOKEN; else an access key in HUAWEICLOUD_SDK_AK and
/// HUAWEICLOUD_SDK_SK; else the one in ~/.huaweicloud/credentials, in its section basic.
///
/// Ends with 0 if done, 1 if refused, 2 if misused, 3 if not found, 4 if not allowed, 5 if the service
/// can't be reached, 6 if what is waited for can't come any more, 7 if it did not come in time.
#[derive(Debug, Parser)]
#[command(name = "fabric", version, max_term_width = 100)]
#[expect(clippy::doc_markdown, reason = "it is shown on a terminal")]
pub(crate) struct Arguments {
    /// Where the service is, such as `https://fabric.cn-north-4.myhuaweicloud.com`; without this and
    /// --region, FABRIC_ENDPOINT or FABRIC_REGION of the environment counts
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,

    /// The region whose endpoint is meant, such as cn-north-4
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,

    /// The project, instead of that of the credentials
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) project_id: Option<ProjectId>,

    /// Presents no credentials, as a mock server lets one
    #[arg(long, global = true)]
    pub(crate) anonymous: bool,

    /// A certificate to trust besides those of the system, in PEM
    #[arg(long, global = true, value_name = "FILE", env = "FABRIC_CA_CERT")]
    pub(crate) ca_cert: Option<PathBuf>,

    /// Sends to an http endpoint on another machine, for everybody in between to read
    #[arg(long, global = true)]
    pub(crate) allow_plain_http: bool,

    /// The longest time for a call, retries included
    #[arg(long, global = true, value_name = "DUR", default_value = "60s")]
    pub(crate) timeout: humantime::Duration,

    /// How results are shown
    #[arg(long, short, global = true, value_enum, default_value = "table")]
    pub(crate) output: Output,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates, lists, shows, renames and deletes access clients, and waits for them
    #[command(subcommand, visible_alias = "ac")]
    AccessClients(AccessClients),
    /// Asks whether the service is up
    Health,
    /// Prints what a shell needs to complete this command
    Completions {
        /// Which shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccessClients {
    /// Creates an access client
    Create {
        /// Its name: 4 to 32 letters, digits and hyphens
        #[arg(long)]
        name: Option<String>,
        /// The virtual private cloud that is to reach the service
        #[arg(long, value_name = "ID")]
        vpc_id: Option<VpcId>,
        /// A subnet; repeatable
        #[arg(long = "subnet-id", value_name = "ID")]
        subnet_ids: Vec<String>,
        /// A connection, such as `vpcep_id=ID,domain=NAME`; repeatable
        #[arg(long = "connection", value_name = "FIELD=VALUE,…", value_parser = connection)]
        connections: Vec<AccessConnectionCreate>,
        /// Waits until it is RUNNING
        #[arg(long)]
        wait: bool,
    },
    /// Lists access clients, newest first
    List {
        /// Only those whose name has this part
        #[arg(long)]
        name: Option<String>,
        /// Only the one with this id
        #[arg(long)]
        id: Option<AccessClientId>,
        /// How many at most; all, unless given
        #[arg(long, value_name = "N")]
        most: Option<NonZeroUsize>,
    },
    /// Shows an access client
    Show {
        /// Its id
        id: AccessClientId,
    },
    /// Renames an access client
    Update {
        /// Its id
        id: AccessClientId,
        /// The new name: 1 to 64 characters
        #[arg(long)]
        name: String,
    },
    /// Deletes an access client
    Delete {
        /// Its id
        id: AccessClientId,
        /// Waits until it is gone
        #[arg(long)]
        wait: bool,
    },
    /// Waits until an access client is RUNNING, or deleted
    Wait {
        /// Its id
        id: AccessClientId,
        /// What is waited for
        #[arg(long = "for", value_enum, default_value = "running")]
        goal: Goal,
        /// The longest time to wait
        #[arg(long, value_name = "DUR", default_value = "10m")]
        at_most: humantime::Duration,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Goal {
    Running,
    Deleted,
}

fn connection(text: &str) -> Result<AccessConnectionCreate, String> {
    let mut connection = AccessConnectionCreate::default();
    for pair in text.split(',') {
        let (field, value) = pair.split_once('=').ok_or("expected FIELD=VALUE")?;
        let value = Some(value.to_owned());
        match field {
            "vpcep_id" => connection.vpcep_id = value,
            "vpcep_service_name" => connection.vpcep_service_name = value,
            "domain" => connection.domain = value,
            _ => return Err("the fields are vpcep_id, vpcep_service_name and domain".to_owned()),
        }
    }
    Ok(connection)
}
