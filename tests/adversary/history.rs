//! A hostile history, drawn from a seed: acts one after the other, each of which is known to have hurt some
//! limiter.

use super::cast::{Cast, Target};
use super::fate::{Fate, Kind};
use super::random::Random;
use super::script::Script;
use super::upstream::Deed;
use super::wear::Wear;
use super::world::{Visit, World};
use tollgate::time::{MILLISECOND, Micros, SECOND};

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Many callers, one request after the other.
    Traffic,
    /// One caller, many requests at the same instant.
    Burst,
    /// One caller, one request after the other, each of which is left before its answer.
    HangUps,
    /// Keys that were made up, from one address and from many.
    MadeUpKeys,
    /// Addresses that use all they have, as many as fill the pages.
    Residents,
    /// Fresh addresses that want more than they have.
    Strangers,
    /// As many callers within a second as a worker can remember, and one who means it.
    EdgeOfTheMaps,
    /// Nothing, for about as long as a window is.
    Quiet,
    /// Other quotas, in the midst of it.
    Update,
    /// Writes that meet a conflict, more often than they are tried.
    Conflicts,
    /// An operator forgives somebody, and others do the same again while it goes on.
    Forgive,
}

/// What a kind of history is made of.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    pub acts: &'static [Act],
    pub fates: &'static [Kind],
    /// So many acts, at most.
    pub length: u64,
    pub workers: u64,
    pub pages: u64,
}

/// A history that is being played.
pub struct History<'a> {
    script: &'a Script,
    cast: &'a Cast,
    plot: Plot,
    random: Random,
    pub world: World,
    /// Who means it.
    attacker: u64,
    strangers: u64,
}

/// A promise that was broken, and how to see it again.
pub struct Found {
    pub seed: u64,
    /// The policy, as it was written.
    pub policy: String,
    /// What was broken, in a line, and what led to it.
    pub broken: String,
    pub led_to_it: String,
}

/// Plays one history until it ends, or a promise is broken.
pub fn play(seed: u64, script: &Script, plot: Plot) -> Result<Wear, Found> {
    let mut random = Random::new(seed);
    let workers = random.between(1, plot.workers) as usize;
    let pages = random.between(1, plot.pages).max(plot.pages / 2) as u32;
    let world = World::new(&script.document, workers, pages);
    let acts = random.between(plot.length / 4, plot.length);
    let mut history =
        History { script, cast: &script.cast, plot, random, world, attacker: 1, strangers: 1_000 };
    for _ in 0..acts {
        history.act();
        if let Some(breach) = history.world.breach.take() {
            let policy = format!("{}: {}", script.name, script.policy(&breach.policy));
            let led_to_it = std::mem::take(&mut history.world.led_to_it);
            return Err(Found { seed, policy, broken: breach.to_string(), led_to_it });
        }
    }
    Ok(history.world.wear)
}

impl History<'_> {
    fn act(&mut self) {
        self.attacker = self.random.below(6);
        match self.random.pick(self.plot.acts) {
            Act::Traffic => self.traffic(),
            Act::Burst => self.burst(),
            Act::HangUps => self.hang_ups(),
            Act::MadeUpKeys => self.made_up_keys(),
            Act::Residents => self.residents(),
            Act::Strangers => self.strangers(),
            Act::EdgeOfTheMaps => self.edge_of_the_maps(),
            Act::Quiet => self.quiet(),
            Act::Update => self.update(),
            Act::Conflicts => self.conflicts(),
            Act::Forgive => self.forgive(),
        }
    }

    fn ask(&mut self, visit: &Visit, fate: Fate) -> bool {
        let worker = self.random.below(self.world.workers() as u64) as usize;
        self.world.ask(worker, visit, fate)
    }

    fn fate(&mut self) -> Fate {
        self.random.pick(self.plot.fates).draw(&mut self.random)
    }

    /// What the attacker asks for: one thing, again and again, and what the upstream says to it.
    fn attack(&mut self) -> Visit {
        let attacker = self.attacker;
        match self.random.below(3) {
            0 => {
                let visit = self.cast.impostor(&mut self.random, attacker);
                Visit { call: visit.call.from(attacker), ..visit }
            }
            _ => self.cast.regular(&mut self.random, attacker),
        }
    }

    fn traffic(&mut self) {
        for _ in 0..self.random.between(10, 120) {
            let who = self.random.below(6);
            let visit = self.cast.regular(&mut self.random, who);
            let fate = self.fate();
            self.ask(&visit, fate);
            let gap = self.gap();
            self.world.wait(gap);
        }
    }

    fn gap(&mut self) -> Micros {
        let most = self.random.pick(&[0, MILLISECOND, 30 * MILLISECOND, 300 * MILLISECOND, 3 * SECOND]);
        self.random.between(0, most)
    }

    fn burst(&mut self) {
        let visit = self.attack();
        let kind = self.random.pick(self.plot.fates);
        for _ in 0..self.random.between(5, 200) {
            let fate = kind.draw(&mut self.random);
            self.ask(&visit, fate);
        }
        let gap = self.gap();
        self.world.wait(gap);
    }

    fn hang_ups(&mut self) {
        let visit = self.attack();
        for _ in 0..self.random.between(5, 150) {
            self.ask(&visit, Fate::left(10 * MILLISECOND, 100 * MILLISECOND));
            self.world.wait(20 * MILLISECOND);
        }
    }

    fn made_up_keys(&mut self) {
        let (one_address, answered) = (self.random.chance(500), self.random.chance(500));
        for _ in 0..self.random.between(50, 600) {
            self.strangers += 1;
            let visit = self.cast.impostor(&mut self.random, self.strangers);
            let address = if one_address { self.attacker } else { self.strangers };
            let visit = Visit { call: visit.call.from(address), ..visit };
            let handled = 5 * MILLISECOND;
            let fate = if answered { Fate::served(handled) } else { Fate::left(MILLISECOND, handled) };
            self.ask(&visit, fate);
            self.world.wait(MILLISECOND / 10);
        }
    }

    fn residents(&mut self) {
        let target = self.cast.target(&mut self.random);
        for _ in 0..self.random.between(20, 120) {
            self.insist(target, 100);
        }
    }

    fn strangers(&mut self) {
        let target = self.cast.target(&mut self.random);
        for _ in 0..self.random.between(2, 8) {
            self.insist(target, 60);
        }
    }

    /// A fresh address asks for one thing, again and again, until it is rejected a few times.
    fn insist(&mut self, target: Target, most: u32) {
        self.strangers += 1;
        let visit = target.visit(&mut self.random);
        let visit = Visit { call: visit.call.from(self.strangers), cost: visit.cost.max(1), ..visit };
        let mut rejected = 0;
        for _ in 0..most {
            rejected += u32::from(!self.ask(&visit, Fate::served(MILLISECOND)));
            self.world.wait(2 * MILLISECOND);
            if rejected == 3 {
                break;
            }
        }
    }

    /// All within one second: no tick tidies up in between.
    fn edge_of_the_maps(&mut self) {
        let into_second = self.world.now.mono % SECOND;
        self.world.wait(SECOND - into_second + MILLISECOND);
        let deed = self.cast.target(&mut self.random);
        for _ in 0..self.random.between(4_080, 4_300) {
            self.strangers += 1;
            let visit = self.cast.impostor(&mut self.random, self.strangers);
            let visit = Visit { cost: 20, call: visit.call.from(self.strangers), ..visit };
            self.world.ask(0, &visit, Fate::served(0));
            self.world.wait(20);
        }
        let visit = deed.visit(&mut self.random);
        let deed = if self.random.chance(500) { Deed::Answers(401) } else { visit.deed };
        let call = visit.call.from(self.attacker).key(format!("key-of-number-{}", self.attacker));
        let visit = Visit { deed, call, cost: 20 };
        for _ in 0..self.random.between(20, 200) {
            self.world.ask_alone(0, &visit, Fate::served(0), MILLISECOND);
        }
    }

    fn quiet(&mut self) {
        let window = self.random.pick(&[1, 2, 10, 60, 600, 3_600, 86_400]) * SECOND;
        let off = self.random.pick(&[0, 0, MILLISECOND, SECOND]);
        self.world.wait(if self.random.chance(500) { window - off } else { window + off });
    }

    fn update(&mut self) {
        let percent = self.random.pick(&[50, 100, 100, 200]);
        self.world.update(&self.script.scaled(percent));
    }

    fn conflicts(&mut self) {
        let visit = self.attack();
        for _ in 0..self.random.between(5, 80) {
            self.world.store.conflicts.set(self.random.between(0, 40) as u32);
            let fate = self.fate();
            self.ask(&visit, fate);
            let gap = self.gap().min(50 * MILLISECOND);
            self.world.wait(gap);
        }
        self.world.store.conflicts.set(0);
    }

    fn forgive(&mut self) {
        let visit = self.attack();
        let worker = self.random.below(self.world.workers() as u64) as usize;
        let Some(forgiveness) = self.world.forgive(worker, &mut self.random) else { return };
        for _ in 0..self.random.between(0, 60) {
            let fate = self.fate();
            self.ask(&visit, fate);
            if self.random.chance(200) {
                let other = self.random.below(self.world.workers() as u64) as usize;
                self.world.carry_out(other, &forgiveness);
            }
            let gap = self.gap();
            self.world.wait(gap);
        }
    }
}
