//! The operator's view: answers about callers and the table, and forgives a caller now. The filter of
//! `role: operator` has only this. It limits nobody, and no request goes on to an upstream.
//!
//! Whoever reaches it can forgive anybody, so it answers only on a UNIX socket, which has a file's owner and mode.
//! Clients cannot pretend that: the address that a connection has come to is Envoy's own, and no header or
//! `PROXY` line makes it a path.
//!
//! ```text
//! question.rs   what is asked: method, path, parameters and headers
//! caller.rs     a caller's counts; search.rs finds it by its pseudonym
//! table.rs      how full the table is
//! answer.rs     the answers, as JSON
//! waiting.rs    a question that waits for the fleet's service
//! ```

mod answer;
mod caller;
mod question;
mod search;
mod table;
mod waiting;

use super::alarm::Alarm;
use super::host::Host;
use super::request::Flow;
use super::worker::Worker;
use crate::identity::Identity;
use crate::reply::Reply;
use question::{Question, Refusal, refusal};
use std::cell::RefCell;
use std::rc::Rc;
use waiting::WaitingQuestion;

/// A request of an operator.
pub(super) struct OperatorStream<H: Host> {
    worker: Rc<RefCell<Worker<H>>>,
    /// The stream's context.
    context: u32,
    /// Set if the answer waits for the fleet's service.
    waiting: Option<Rc<WaitingQuestion<H>>>,
}

impl<H: Host> OperatorStream<H> {
    pub fn new(worker: Rc<RefCell<Worker<H>>>, context: u32) -> OperatorStream<H> {
        OperatorStream { worker, context, waiting: None }
    }

    /// Answers the request, now or when the fleet's service has answered.
    #[inline(never)]
    pub fn request(&mut self, stream: H::Stream) -> Flow {
        let host = self.worker.borrow().host;
        let question = read(&self.worker.borrow(), stream);
        let question = match question {
            Ok(question) => question,
            Err(refused) => return reply(host, stream, Err(refused)),
        };
        let answered = answer(&self.worker.borrow(), &question, true);
        let caller = match answered {
            Ok(body) => return reply(host, stream, body),
            Err(caller) => caller,
        };
        let waiting = WaitingQuestion::new(&self.worker, self.context, question);
        let waits =
            self.worker.borrow().fleet.as_ref().is_some_and(|fleet| fleet.wait(caller, waiting.clone()));
        if !waits {
            waiting.answer_now(stream);
            return Flow::Answered;
        }
        self.waiting = Some(waiting.clone());
        waiting.pause()
    }
}

/// The operator may leave before the service answers.
impl<H: Host> Drop for OperatorStream<H> {
    fn drop(&mut self) {
        self.waiting.iter().for_each(|waiting| waiting.leave());
    }
}

/// What a request asks, if it may.
fn read<H: Host>(worker: &Worker<H>, stream: H::Stream) -> Result<Question, Refusal> {
    let host = worker.host;
    let now = worker.clock.now::<H>();
    if !is_on_unix_socket(host, stream) {
        Alarm::NO_UNIX_SOCKET.warn(format_args!("a request for the operator was refused"), host, now.mono);
        return Err(refusal(403, "the operator is answered only on a UNIX socket with an absolute path"));
    }
    Question::read(host, stream, now.wall)
}

/// Whether the connection has come to a path in the file system. A socket without one has no mode. If Envoy does
/// not tell, it has not.
fn is_on_unix_socket<H: Host>(host: H, stream: H::Stream) -> bool {
    let address = host.property(stream, b"destination\0address").unwrap_or_default();
    address.first() == Some(&b'/') && host.property(stream, b"destination\0port").is_none()
}

/// The answer to a question. `Err`: if it `may_ask`, it has to wait for the service's answer about this caller.
fn answer<H: Host>(
    worker: &Worker<H>,
    question: &Question,
    may_ask: bool,
) -> Result<Result<String, Refusal>, Identity> {
    match question {
        Question::Table => Ok(Ok(table::answer(worker))),
        Question::Caller(question) => caller::answer(worker, question, may_ask),
    }
}

fn reply<H: Host>(host: H, stream: H::Stream, answered: Result<String, Refusal>) -> Flow {
    let mut headers = vec![("content-type", "application/json".into()), ("cache-control", "no-store".into())];
    let (status, body) = match answered {
        Ok(body) => (200, body),
        Err(refused) => {
            headers.extend(refused.allow.map(|method| ("allow", method.into())));
            (refused.status, refused.body())
        }
    };
    let details = "tollgate_operator";
    host.reply(stream, &Reply { status, headers, body: body.into(), details, unavailable: false });
    Flow::Answered
}
