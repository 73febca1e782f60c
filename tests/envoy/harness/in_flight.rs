//! A request that has been sent and whose response is still to come.

use super::connection::Connection;
use super::request::Request;
use super::response::Response;

/// Dropped, the client leaves.
pub struct InFlight {
    connection: Connection,
    method: String,
}

impl InFlight {
    pub(super) fn begin(request: &Request) -> Self {
        let mut connection = request.connect();
        connection.write(&request.bytes()).expect("a request sent");
        Self { connection, method: request.method().to_owned() }
    }

    /// Whether the response has begun to come.
    pub fn answered(&self) -> bool {
        self.connection.has_bytes()
    }

    /// Waits for the response.
    pub fn response(mut self) -> Response {
        self.connection.read(&self.method).expect("a response")
    }

    /// The client leaves without waiting.
    pub fn leave(self) {
        drop(self);
    }
}
