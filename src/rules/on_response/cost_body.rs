//! What a request has cost, by numbers in the body of its response.

mod preset;

pub use preset::{BODY_PRESETS, BodyPreset, TokenKind};

use super::UnknownCost;
use crate::body::{BILLION, Pointer, Pointers, Unreadable, Values};

/// How a cost is read from a response's body.
#[derive(Clone, Debug, PartialEq)]
pub struct CostBody {
    /// The cost is the sum of these.
    pub terms: Vec<CostTerm>,
    /// The preset that the terms are of, if they are of one.
    pub preset: Option<&'static BodyPreset>,
    /// What a request costs whose response has no cost that can be read.
    pub without: UnknownCost,
}

/// One number of a cost.
#[derive(Clone, Debug, PartialEq)]
pub struct CostTerm {
    /// Where it stands: the largest value that is found counts.
    pub at: Vec<Pointer>,
    /// Where the part of it stands that another term counts.
    pub without: Vec<Pointer>,
    /// What it is multiplied by.
    pub weight: Weight,
    /// The numbers of the values of `at` and `without` in the set of all pointers.
    values: [Vec<usize>; 2],
}

/// A factor, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight(pub u32);

impl Weight {
    /// 1.
    pub const ONE: Weight = Weight(1_000);

    /// The largest: 1000000.
    pub const MAX: Weight = Weight(1_000_000_000);

    /// A number in billionths, multiplied by the weight: in thousandths, rounded up.
    fn times(self, billionths: u64) -> u64 {
        let weight = u64::from(self.0);
        let (whole, part) = (billionths / BILLION, billionths % BILLION);
        whole.saturating_mul(weight).saturating_add(part.saturating_mul(weight).div_ceil(BILLION))
    }
}

/// Why a response's body reports no cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoCost {
    /// It cannot be read.
    Unreadable(Unreadable),
    /// It has no such number.
    Absent,
    /// It ended before it was complete: the client has left, or the connection to the upstream broke.
    Aborted,
}

impl CostTerm {
    /// A number that stands at one of these places.
    pub fn new(at: Vec<Pointer>, weight: Weight) -> CostTerm {
        CostTerm { at, without: Vec::new(), weight, values: Default::default() }
    }

    /// The number, multiplied by the weight, in thousandths. `None`: the body does not have it.
    fn thousandths(&self, body: &Values) -> Option<u64> {
        let [at, without] = &self.values;
        let largest = |values: &[usize]| values.iter().filter_map(|value| body.get(*value)).max();
        let part = largest(without).unwrap_or_default();
        largest(at).map(|number| self.weight.times(number.saturating_sub(part)))
    }
}

impl CostBody {
    /// Adds its pointers to the set of all pointers.
    pub fn add_to(&mut self, pointers: &mut Pointers) {
        for term in &mut self.terms {
            let mut add = |all: &[Pointer]| all.iter().map(|pointer| pointers.add(pointer)).collect();
            term.values = [add(&term.at), add(&term.without)];
        }
    }

    /// The cost in units, rounded up; a larger one than a `u32` becomes the largest. `None`: the body has none
    /// of the numbers.
    fn read(&self, body: &Values) -> Option<u32> {
        let terms = self.terms.iter().filter_map(|term| term.thousandths(body));
        let sum = terms.reduce(u64::saturating_add)?;
        Some(u32::try_from(sum.div_ceil(1_000)).unwrap_or(u32::MAX))
    }

    /// What a request has cost that holds `hold` units and whose response's body has come to its end, and why
    /// that is not read from it.
    pub fn units(&self, body: Result<&Values, Unreadable>, hold: u32) -> (u32, Option<NoCost>) {
        match body.map(|body| self.read(body)) {
            Ok(Some(units)) => (units, None),
            Ok(None) => (self.without.units(hold), Some(NoCost::Absent)),
            Err(why) => (self.without.units(hold), Some(NoCost::Unreadable(why))),
        }
    }

    /// What a request has cost whose response broke off. To leave before the end must not be cheaper than
    /// to stay.
    pub fn units_of_part(&self, body: &Values, hold: u32) -> (u32, Option<NoCost>) {
        let units = self.read(body).unwrap_or_else(|| self.without.units(hold));
        (units.max(hold), Some(NoCost::Aborted))
    }
}

#[cfg(test)]
mod tests;
