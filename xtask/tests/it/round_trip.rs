//! Every operation, over a real socket: what the client is given the handler gets, and what the
//! handler answers, success or failure, the client returns.

use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;

use fabric_client::{Client, Credentials, Error, Retry};
use fabric_model::signature::AccessKey;
use fabric_model::{
    ApiError, Failure, Invalid, Operation, OperationVisitor, Request, identity, strategy,
    visit_operations,
};
use fabric_server::{Api, Caller, Callers, Credential, Server};
use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

/// What the handler is to answer, and what it was asked.
#[derive(Clone, Default)]
struct Exchange(Arc<Mutex<(Parcel, Parcel)>>);

/// An answer, or a request, of whatever operation.
type Parcel = Option<Box<dyn Any + Send>>;

/// Serves an operation by the exchange.
async fn play<O: Operation>(
    exchange: Exchange,
    _: Caller,
    request: Request<O>,
) -> Result<O::Response, ApiError> {
    let mut exchange = exchange.0.lock();
    exchange.1 = Some(Box::new(request));
    let answer = exchange.0.take().unwrap();
    *answer.downcast::<Result<O::Response, ApiError>>().unwrap()
}

struct Routes(Option<Api<Exchange>>);

impl OperationVisitor for Routes {
    fn visit<O: Operation>(&mut self) {
        self.0 = self.0.take().map(|api| api.operation(play::<O>));
    }
}

struct RoundTrip {
    runtime: Runtime,
    exchange: Exchange,
    client: Client,
}

fn failures() -> impl Strategy<Value = ApiError> {
    prop_oneof![
        select(Failure::ALL.to_vec()).prop_map(ApiError::from),
        ("\\PC{1,80}", "\\PC{1,600}").prop_map(|(field, rule)| Invalid::new(field, rule).into()),
    ]
}

impl OperationVisitor for RoundTrip {
    fn visit<O: Operation>(&mut self) {
        let answers = prop_oneof![
            3 => strategy::payload::<O::Response>().prop_map(Ok),
            1 => failures().prop_map(Err),
        ];
        let values = (strategy::request::<O>(), answers);
        let outcome =
            TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(128) }).run(
                &values,
                |(request, answer)| {
                    *self.exchange.0.lock() = (Some(Box::new(answer.clone())), None);
                    let returned = self.runtime.block_on(self.client.send(&request));
                    let asked = self.exchange.0.lock().1.take();
                    let asked = asked.and_then(|asked| asked.downcast::<Request<O>>().ok());
                    prop_assert_eq!(asked.as_deref(), Some(&request), "the request");
                    match (answer, returned) {
                        (Ok(answered), Ok(returned)) => prop_assert_eq!(answered, returned),
                        (Err(answered), Err(Error::Rejected(returned))) => {
                            let id = returned.request_id().unwrap_or_default();
                            prop_assert!(id.ends_with("-localhost"), "request id: {}", id);
                            prop_assert_eq!(&answered.with_request_id(id), &returned);
                        }
                        (answered, returned) => {
                            prop_assert!(false, "{answered:?} became {returned:?}");
                        }
                    }
                    Ok(())
                },
            );
        if let Err(error) = outcome {
            panic!("{}: {error}", O::ID);
        }
    }
}

#[test]
fn every_operation_crosses_a_socket_unchanged_and_signed() {
    let key = AccessKey::new("AKID", "secret").unwrap().with_security_token("token").unwrap();
    let credentials = Credentials::access_key("AKID", "secret").unwrap();
    let credentials = credentials.with_security_token("token").unwrap();
    let callers = Callers::known([Credential::access_key(key)]).unwrap();
    let runtime = Runtime::new().unwrap();
    let exchange = Exchange::default();
    let mut routes = Routes(Some(Api::new(exchange.clone()).callers(callers)));
    visit_operations(&mut routes);
    identity::visit_operations(&mut routes);
    let guard = runtime.enter();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(listener, routes.0.unwrap().into_router()).unwrap();
    let client = Client::builder(&format!("http://{}", server.address())).credentials(credentials);
    let client = client.retry(Retry::off()).build().unwrap();
    drop(guard);
    let mut round_trip = RoundTrip { runtime, exchange, client };
    visit_operations(&mut round_trip);
    identity::visit_operations(&mut round_trip);
    drop(server);
}
