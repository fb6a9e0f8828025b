//! Sends the operation of a verb, whichever it is.

use std::future::Future;
use std::pin::{Pin, pin};

use clap::ArgMatches;
use fabric_client::Client;
use fabric_model::{List, Operation, OperationVisitor, Payload, visit_operations};
use futures_util::TryStreamExt;
use serde_json::Value;

use crate::failure::Failure;
use crate::request::{Parts, most};
use crate::session::Session;
use crate::verb::{Paging, Verb};

/// The answer to an operation.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A success without a body.
    Nothing,
    /// A body.
    One(Value),
    /// The items of a list.
    Many(Vec<Value>),
}

/// Sends the operation of a verb.
pub(crate) async fn send(
    session: &Session,
    verb: &Verb,
    matches: &ArgMatches,
) -> Result<Answer, Failure> {
    let parts = Parts::collect(session, verb, matches).await?;
    let mut send = Send {
        id: verb.operation.id,
        client: &session.client,
        parts: &parts,
        most: most_of(verb, matches),
        sending: None,
    };
    visit_operations(&mut send);
    let answer = match send.sending {
        Some(sending) => sending.await?,
        None => return Err(Failure::misused("there is no such operation")),
    };
    Ok(match (answer, verb.operation.items_in_response) {
        // A list that is not paged.
        (Answer::One(body), Some(pointer)) => match body.pointer(pointer) {
            Some(Value::Array(items)) => Answer::Many(items.clone()),
            _ => Answer::One(body),
        },
        (answer, _) => answer,
    })
}

fn most_of(verb: &Verb, matches: &ArgMatches) -> usize {
    if verb.paging == Paging::Pages { most(matches) } else { usize::MAX }
}

/// Finds the operation with an id, and sends it.
struct Send<'a> {
    id: &'static str,
    client: &'a Client,
    parts: &'a Parts,
    most: usize,
    sending: Option<Sending<'a>>,
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>;

impl OperationVisitor for Send<'_> {
    fn visit<O: Operation>(&mut self) {
        if O::ID == self.id {
            self.sending = Some(Box::pin(one::<O>(self.client, self.parts)));
        }
    }

    fn visit_list<O: List>(&mut self) {
        if O::ID == self.id {
            self.sending = Some(Box::pin(many::<O>(self.client, self.parts, self.most)));
        }
    }
}

async fn one<O: Operation>(client: &Client, parts: &Parts) -> Result<Answer, Failure> {
    let response = client.send(&parts.read::<O>()?).await?;
    Ok(match O::Response::MEDIA_TYPE {
        Some(_) => Answer::One(json(&response)),
        None => Answer::Nothing,
    })
}

/// The most items that are kept until they are printed, unless the caller asks for more: a service may go on for ever.
const LISTED_MAX: usize = 50_000;

async fn many<O: List>(client: &Client, parts: &Parts, most: usize) -> Result<Answer, Failure> {
    let mut items = pin!(client.items(parts.read::<O>()?));
    let mut listed = Vec::new();
    while listed.len() < most
        && let Some(item) = items.try_next().await?
    {
        if most == usize::MAX && listed.len() == LISTED_MAX {
            let reason = format!("there are more than {LISTED_MAX} items: pass --most");
            return Err(Failure::misused(reason));
        }
        listed.push(json(&item));
    }
    Ok(Answer::Many(listed))
}

fn json(payload: &impl Payload) -> Value {
    serde_json::to_value(payload).unwrap_or_default()
}
