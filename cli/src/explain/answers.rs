//! How the upstream answers the requests that are explained.

use super::owned;
use tollgate::compile::Configuration;
use tollgate::decision::Decision;
use tollgate::http::Response;
use tollgate::reply::is_limit_header;

/// The upstream's answers to a row of requests.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The status of each answer, in order; the last one repeats. `None`: the upstream does not answer.
    pub statuses: Vec<Option<u16>>,
    /// The headers of every answer, with lower-case names.
    pub headers: Vec<(String, String)>,
}

impl Default for Answers {
    /// Always 200.
    fn default() -> Answers {
        Answers { statuses: vec![Some(200)], headers: Vec::new() }
    }
}

impl Answers {
    /// The answer to the request with this number, from 0.
    pub(super) fn of(&self, number: u32) -> Option<SampleResponse<'_>> {
        let last = self.statuses.len().saturating_sub(1);
        let index = usize::try_from(number).map_or(last, |number| number.min(last));
        let status = (*self.statuses.get(index)?)?;
        Some(SampleResponse { status, headers: &self.headers, trailers: None })
    }
}

/// One answer of the upstream.
#[derive(Clone, Copy, Debug)]
pub struct SampleResponse<'a> {
    /// Its status.
    pub status: u16,
    headers: &'a [(String, String)],
    /// `None`: the headers are its trailers, too.
    trailers: Option<&'a [(String, String)]>,
}

impl Response for SampleResponse<'_> {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        first(self.headers, name)
    }

    fn trailer(&self, name: &str) -> Option<Vec<u8>> {
        first(self.trailers.unwrap_or(self.headers), name)
    }
}

fn first(fields: &[(String, String)], name: &str) -> Option<Vec<u8>> {
    fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone().into_bytes())
}

impl<'a> SampleResponse<'a> {
    /// An answer with these headers and trailers, whose names are in lower case.
    pub fn new(
        status: u16,
        headers: &'a [(String, String)],
        trailers: &'a [(String, String)],
    ) -> SampleResponse<'a> {
        SampleResponse { status, headers, trailers: Some(trailers) }
    }

    /// The headers of the response as the client gets them: the filter removes those that are not for
    /// clients, and adds its limit headers or leaves the upstream's.
    pub(super) fn for_client(&self, set: &Configuration, decision: &Decision) -> Vec<(String, String)> {
        let mut removed = set.rules.removed_headers();
        if self.trailers.is_none() {
            removed.extend(set.rules.removed_trailers());
        }
        let rules = &set.replies;
        let mut headers = self.headers.to_vec();
        headers.retain(|(name, _)| !removed.contains(name));
        if rules.removes_limit_headers() {
            headers.retain(|(name, _)| !is_limit_header(name.as_bytes()));
        }
        let has = |headers: &[(String, String)], name: &str| headers.iter().any(|(own, _)| own == name);
        let limits = owned(rules.added_limit_headers(decision, &|name| has(&headers, name)));
        headers.retain(|(name, _)| !has(&limits, name));
        headers.extend(limits);
        headers
    }
}
