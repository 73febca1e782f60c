//! One worker, and the traffic on its way through it.

use crate::traffic::{Arrival, NO_ANSWER, Traffic};
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::http::Response;
use tollgate::time::Micros;
use tollgate_cli::explain::SampleResponse;
use tollgate_cli::worker::{InFlight, Worker};

/// The filter, between two requests.
pub struct Simulation<'a> {
    traffic: &'a Traffic,
    worker: Worker,
    /// Requests without a response so far, and what was decided.
    in_flight: InFlight<(Arrival, Decision)>,
}

impl<'a> Simulation<'a> {
    /// A filter with an empty table. The configuration must be [enforced](tollgate_cli::explain::enforced) for
    /// everybody.
    pub fn new(configuration: &Configuration, traffic: &'a Traffic) -> Simulation<'a> {
        let mut worker = Worker::new(configuration);
        worker.advance(traffic.start);
        Simulation { traffic, worker, in_flight: InFlight::default() }
    }

    /// The response of the upstream; `None`: none comes.
    pub fn answer(&self, arrival: Arrival) -> Option<SampleResponse<'a>> {
        let answer = SampleResponse::new(arrival.status, &self.traffic.headers, &self.traffic.headers);
        Some(answer).filter(|answer| answer.status != NO_ANSWER)
    }

    /// Decides a request. Its response comes later.
    pub fn send(&mut self, arrival: Arrival) -> Option<Decision> {
        self.settle_until(arrival.at);
        self.advance(arrival.at);
        let request = self.traffic.requests.get(usize::try_from(arrival.request).ok()?)?;
        Some(self.worker.decide(request)).inspect(|decision| {
            if self.worker.awaits_end(decision) {
                let end = arrival.at.saturating_add(arrival.took.into());
                let end = if decision.rejected() { arrival.at } else { end };
                self.in_flight.add(end, (arrival, decision.clone()));
            }
        })
    }

    /// Lets the responses come that are due at an instant.
    fn settle_until(&mut self, at: Micros) {
        while let Some((end, (arrival, mut decision))) = self.in_flight.take_until(at) {
            self.end(end, arrival, &mut decision);
        }
    }

    /// The response to a request comes, and its stream ends.
    pub fn end(&mut self, at: Micros, arrival: Arrival, decision: &mut Decision) {
        self.advance(at);
        if let Some(answer) = self.answer(arrival) {
            self.worker.on_response(decision, &answer);
            self.worker.on_response_end(decision, &answer, None, &|name| answer.trailer(name));
        }
        self.worker.on_stream_end(decision);
    }

    /// Lets the time pass until an instant since the start of the traffic.
    fn advance(&mut self, at: Micros) {
        self.worker.advance(self.traffic.start.saturating_add(at));
    }
}
