//! All samples of all cases, and the figures that follow from them.

use crate::measurement::{Applicability, Asked, Sample};
use crate::statistics::{Summary, quotient};
use crate::subjects::{Case, Group, NONE};

/// What was found out about a group.
pub struct Results {
    pub group: Group,
    found: Vec<Found>,
}

/// About one case: by generation, and by turn of all generations.
#[derive(Default)]
struct Found {
    standing: Vec<Applicability>,
    samples: Vec<Sample>,
}

impl Results {
    pub fn new(group: Group) -> Results {
        let found = group.cases.iter().map(|_| Found::default()).collect();
        Results { group, found }
    }

    pub fn add(&mut self, generation: Vec<(Applicability, Vec<Sample>)>) {
        for (found, (standing, samples)) in self.found.iter_mut().zip(generation) {
            found.standing.push(standing);
            found.samples.extend(samples);
        }
    }

    fn found(&self, name: &str) -> Option<&Found> {
        let is_it = |(case, _): &(&Case, &Found)| case.name == name;
        self.group.cases.iter().zip(&self.found).find(is_it).map(|(_, found)| found)
    }

    fn samples(&self, name: &str) -> &[Sample] {
        self.found(name).map_or(&[], |found| &found.samples)
    }

    fn standing(&self, name: &str) -> &[Applicability] {
        self.found(name).map_or(&[], |found| &found.standing)
    }

    pub fn each(&self, name: &str, figure: impl Fn(&Sample) -> f64) -> Option<Summary> {
        Summary::of(self.samples(name).iter().map(figure))
    }

    /// A figure of what the filter asks.
    pub fn asked(&self, name: &str, figure: impl Fn(&Asked) -> Option<f64>) -> Option<Summary> {
        Summary::of(self.samples(name).iter().filter_map(|sample| figure(sample.asked.as_ref()?)))
    }

    /// Processor time a request, round by round.
    pub fn turns(&self, name: &str) -> impl Iterator<Item = f64> {
        self.samples(name).iter().map(|sample| sample.cpu)
    }

    /// Processor time a request over that of no filter: of each round, and the middle of all.
    pub fn added(&self, name: &str) -> Option<Summary> {
        let rounds = self.samples(name).iter().zip(self.samples(NONE));
        Summary::of(rounds.map(|(one, none)| one.cpu - none.cpu))
    }

    /// What the case adds as a quotient of what another one adds.
    pub fn added_ratio(&self, name: &str, other: &str) -> Option<Summary> {
        let none = self.samples(NONE);
        let added = |name| self.samples(name).iter().zip(none).map(|(one, none)| one.cpu - none.cpu);
        quotient(&added(name).collect::<Vec<_>>(), &added(other).collect::<Vec<_>>(), self.generations())
    }

    /// Processor time a request as a quotient of another case's.
    pub fn ratio(&self, name: &str, other: &str) -> Option<Summary> {
        let (one, other): (Vec<f64>, Vec<f64>) = (self.turns(name).collect(), self.turns(other).collect());
        quotient(&one, &other, self.generations())
    }

    fn generations(&self) -> usize {
        self.standing(NONE).len()
    }

    /// A figure of each generation.
    pub fn once(&self, name: &str, figure: impl Fn(&Applicability) -> Option<f64>) -> Option<Summary> {
        Summary::of(self.standing(name).iter().filter_map(figure))
    }

    /// Over that of no filter, generation by generation.
    pub fn once_added(&self, name: &str, figure: impl Fn(&Applicability) -> Option<f64>) -> Option<Summary> {
        let generations = self.standing(name).iter().zip(self.standing(NONE));
        Summary::of(generations.filter_map(|(one, none)| Some(figure(one)? - figure(none)?)))
    }
}
