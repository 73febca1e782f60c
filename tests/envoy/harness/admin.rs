//! Envoy's own view of itself: statistics, readiness, the ports it took.

use std::net::{Ipv4Addr, SocketAddr};

use super::connection::Connection;
use super::request::Request;

pub struct Admin(pub SocketAddr);

impl Admin {
    /// The body of an admin page; `None` while Envoy does not answer it with 200.
    pub fn try_page(&self, path: &str) -> Option<String> {
        let request = Request::new(self.0, "GET", path);
        let mut connection = Connection::try_open(Ipv4Addr::LOCALHOST, self.0).ok()?;
        let response = connection.try_exchange(&request).ok()?;
        (response.status == 200).then(|| String::from_utf8_lossy(&response.body).into_owned())
    }

    /// The body of an admin page.
    pub fn page(&self, path: &str) -> String {
        self.try_page(path).unwrap_or_else(|| panic!("no admin page {path}"))
    }

    /// The counters and gauges whose names match the expression.
    pub fn statistics(&self, expression: &str) -> Vec<(String, u64)> {
        parsed(&self.page(&statistics_path(expression))).collect()
    }

    /// One counter or gauge; 0 if Envoy has not heard of it.
    pub fn statistic(&self, name: &str) -> u64 {
        let all = self.statistics(name).into_iter();
        value_of(name, all).unwrap_or(0)
    }

    /// One counter or gauge; `None` also while Envoy does not answer.
    pub fn try_statistic(&self, name: &str) -> Option<u64> {
        let page = self.try_page(&statistics_path(name))?;
        value_of(name, parsed(&page))
    }

    /// The address of the listener called `name`.
    pub fn listener(&self, name: &str) -> Option<SocketAddr> {
        let page = self.try_page("/listeners")?;
        page.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}::")))
            .and_then(|address| address.parse().ok())
    }
}

fn statistics_path(expression: &str) -> String {
    format!("/stats?filter={expression}")
}

fn parsed(page: &str) -> impl Iterator<Item = (String, u64)> {
    page.lines()
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
}

fn value_of(name: &str, mut all: impl Iterator<Item = (String, u64)>) -> Option<u64> {
    all.find_map(|(named, value)| (named == name).then_some(value))
}
