//! A server that answers by a script, whatever it is asked, and keeps what that was.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

/// A running script: an answer a connection.
pub(crate) struct Script {
    endpoint: String,
    requests: Receiver<String>,
}

impl Script {
    pub(crate) fn start<const N: usize>(answers: [&str; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let answers = answers.map(str::to_owned);
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = vec![0; 4096];
                // A request is short enough to come at once.
                let length = stream.read(&mut request).unwrap();
                sender.send(String::from_utf8_lossy(&request[..length]).into_owned()).ok();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { endpoint, requests }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The requests that came since this was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }

    /// The headers of this name in the requests that came.
    pub(crate) fn asked(&self, name: &str) -> Vec<String> {
        self.requests().iter().map(|request| Self::header(request, name)).collect()
    }

    pub(crate) fn header(request: &str, name: &str) -> String {
        let mut lines = request.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }
}
