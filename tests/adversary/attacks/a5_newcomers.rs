//! A5: whatever identities are made up, honest newcomers are served.

use super::*;
use crate::script::Script;
use crate::upstream::Deed;
use crate::{cast::Cast, random::Random};
use tollgate::time::{MILLISECOND, SECOND};

const NEWCOMERS: u64 = 60;

/// How made-up keys are shown.
#[derive(Clone, Copy)]
struct Flood {
    pages: u32,
    /// So many keys, and so many requests with each.
    keys: u64,
    each: u32,
    addresses: u64,
    /// Whether the client leaves before the upstream's 401.
    leaves: bool,
}

impl Flood {
    fn roll(self, world: &mut World, cast: &Cast) {
        let mut random = Random::new(1);
        let handled = 20 * MILLISECOND;
        let fate = if self.leaves { Fate::left(MILLISECOND, handled) } else { Fate::served(handled) };
        for key in 0..self.keys {
            let visit = cast.impostor(&mut random, 1_000 + key);
            for request in 0..u64::from(self.each) {
                let call = visit.call.clone().from((key + request) % self.addresses);
                world.ask_alone(0, &Visit { call, ..visit.clone() }, fate, MILLISECOND / 5);
            }
        }
        world.wait(SECOND);
    }
}

/// Of honest newcomers, each with an address and a key of its own, those who are rejected.
fn rejected(world: &mut World, cast: &Cast, first: u64) -> u64 {
    let target = cast.usual_target();
    let mut random = Random::new(2);
    let newcomer = |number: u64, random: &mut Random| {
        let visit = target.visit(random);
        let call = visit.call.from(first + number).key(format!("{number}-of-{first}-is-a-good-key"));
        Visit { call, deed: Deed::Answers(200), ..visit }
    };
    let asks = (0..NEWCOMERS).map(|number| {
        let visit = newcomer(number, &mut random);
        world.ask_alone(0, &visit, Fate::served(MILLISECOND), 10 * MILLISECOND)
    });
    asks.filter(|admitted| !admitted).count() as u64
}

/// Those who are rejected right after the flood, and an hour later.
fn shut_out(script: &Script, flood: Flood) -> [u64; 2] {
    let mut world = World::new(&script.document, 1, flood.pages);
    flood.roll(&mut world, &script.cast);
    let at_once = rejected(&mut world, &script.cast, 100_000);
    world.wait(3_600 * SECOND);
    [at_once, rejected(&mut world, &script.cast, 200_000)]
}

/// The attack as it was seen: 9,280 requests of one address that leaves before the 401.
#[test]
fn a5_made_up_keys_of_one_address_shut_nobody_out_of_factuarea() {
    let flood = Flood { pages: 16, keys: 1_856, each: 5, addresses: 1, leaves: true };
    assert_eq!(shut_out(&script::file("factuarea"), flood), [0, 0], "newcomers of {NEWCOMERS} were rejected");
}

/// With each key half of what makes its record worth keeping, in a table of few pages.
#[test]
fn a5_made_up_keys_shut_nobody_out_of_any_file_that_is_shipped() {
    let each = |file: &str| match file {
        "billium" => 150,
        "safepays" => 500,
        _ => 30,
    };
    let mut shut_out_of = Vec::new();
    for script in script::shipped() {
        for (pages, addresses, leaves) in [(2, 1, true), (2, 1, false), (4, 4, true), (1, 1, false)] {
            let keys = 64 * u64::from(pages);
            let flood = Flood { pages, keys, each: each(&script.name), addresses, leaves };
            let rejected = shut_out(&script, flood);
            if rejected != [0, 0] {
                let how = if leaves { "that leave" } else { "that are answered 401" };
                let Script { name, .. } = &script;
                shut_out_of.push(format!("{name}, {pages} pages, {addresses} addresses {how}: {rejected:?}"));
            }
        }
    }
    assert!(shut_out_of.is_empty(), "newcomers of {NEWCOMERS} were rejected:\n{}", shut_out_of.join("\n"));
}
