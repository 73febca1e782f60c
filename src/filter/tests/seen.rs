//! What operators see besides counters: how full the table is, which configuration is live, and warnings.

use super::metadata::BY_CLAIM;
use super::*;

fn gauge(name: &str) -> Option<u64> {
    let name = format!("tollgate.{name}");
    host(|knows| knows.gauges.iter().find(|(own, _)| *own == name).map(|(_, value)| *value))
}

fn warnings() -> Vec<String> {
    let log = host(|knows| knows.log.clone());
    log.into_iter().filter(|(level, _)| *level == log::Level::Warn).map(|(_, line)| line).collect()
}

fn with_pages(pages: u32) -> String {
    TWO_PER_MINUTE.replace(r#""headers""#, &format!(r#""table": {{"pages": {pages}}}, "headers""#))
}

/// How many reads of pages a tick makes.
fn reads_at_a_tick(worker: &Worker) -> usize {
    host(|knows| knows.reads = 0);
    worker.root.tick();
    host(|knows| knows.reads)
}

#[wasm_bindgen_test(unsupported = test)]
fn a_small_table_is_counted_each_second_by_one_worker() {
    let one = Worker::start(&with_pages(16));
    let other = Worker::join(Fake);
    for client in 0..10 {
        one.passed(&format!("client-{client}"), 3);
    }
    assert_eq!(gauge("table.records"), None);
    one.root.tick();
    assert_eq!(
        (gauge("table.records"), gauge("table.capacity_bytes")),
        (Some(10), Some(16 * (1_536 - 1 - 4 - 192)))
    );
    let bytes = gauge("table.bytes").unwrap();
    assert!((10 * 30..10 * 60).contains(&bytes), "{bytes}");
    // The other one has nothing to do within the same second.
    other.passed("client-10", 1);
    assert!(reads_at_a_tick(&other) < 8);
    assert_eq!(gauge("table.records"), Some(10));
    wait(1);
    assert!(reads_at_a_tick(&other) >= 16);
    assert_eq!(gauge("table.records"), Some(11));
    // Records that have expired are in the way of nobody.
    for _ in 0..200 {
        wait(1);
        one.root.tick();
    }
    assert_eq!((gauge("table.records"), gauge("table.bytes")), (Some(0), Some(0)));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_tick_reads_a_bounded_number_of_pages_of_any_table() {
    for (pages, seconds) in [(1, 1), (128, 1), (129, 2), (16_384, 128), (1_048_576, 128)] {
        let worker = Worker::start(&with_pages(pages));
        worker.passed("acme", 1);
        for _ in 0..seconds {
            let reads = reads_at_a_tick(&worker);
            assert!(reads <= 128 + 8, "{reads} of {pages}");
            wait(1);
        }
        if pages <= 16_384 {
            assert_eq!(gauge("table.records"), Some(1), "{pages}: all have been read");
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_large_table_is_estimated_from_the_pages_that_were_read() {
    let worker = Worker::start(&with_pages(65_536).replace("60s", "24h"));
    for client in 0..20_000 {
        worker.passed(&client.to_string(), 1);
    }
    for _ in 0..128 {
        worker.root.tick();
        wait(1);
    }
    let records = gauge("table.records").unwrap();
    assert!((18_000..22_000).contains(&records), "{records}");
}

#[wasm_bindgen_test(unsupported = test)]
fn what_others_write_where_the_survey_is_kept_breaks_nothing() {
    let worker = Worker::start(&with_pages(16));
    worker.passed("acme", 1);
    for nonsense in [vec![], vec![255; 7], vec![255; 12], vec![255; 13], vec![255; 12 + 16 * 500]] {
        host(|knows| knows.shared.insert(b"tollgate:fill".to_vec(), (nonsense, 1)));
        worker.root.tick();
        wait(1);
    }
    host(|knows| knows.shared.remove(&b"tollgate:fill"[..]));
    worker.root.tick();
    assert_eq!(gauge("table.records"), Some(1));
}

#[wasm_bindgen_test(unsupported = test)]
fn accepted_and_rejected_configurations_are_counted_and_the_live_one_is_shown() {
    let worker = Worker::start(TWO_PER_MINUTE);
    assert_eq!((counter("config.accepted"), counter("config.rejected")), (1, 0));
    let revision = gauge("config.revision").unwrap();
    let configure = |configuration: &str| {
        host(|knows| knows.configuration = configuration.into());
        TollgateRoot::new(Fake, worker.tables.clone(), worker.members.clone(), 2).configure()
    };
    assert!(!configure(&TWO_PER_MINUTE.replace("60s", "60")));
    assert_eq!((counter("config.accepted"), counter("config.rejected")), (1, 1));
    assert_eq!(gauge("config.revision"), Some(revision), "the old one is still live");
    assert!(configure(&TWO_PER_MINUTE.replace("60s", "61s")));
    assert_eq!((counter("config.accepted"), counter("config.rejected")), (2, 1));
    assert_ne!(gauge("config.revision"), Some(revision));
    assert!(configure(&TWO_PER_MINUTE.replace(": ", ":")));
    assert_eq!(gauge("config.revision"), Some(revision), "only its blanks differ");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_flood_is_one_warning_a_minute_by_all_workers_together() {
    let configuration = BY_CLAIM.replace("60s", "1h").replacen('{', r#"{"table": {"pages": 1},"#, 1);
    let one = Worker::start(&configuration);
    let other = Worker::join(Fake);
    let passed = |worker: &Worker, claim: &str| {
        let path = b"metadata\0filter_metadata\0auth\0sub".to_vec();
        host(|knows| knows.metadata.insert(path, Some(claim.as_bytes().to_vec())));
        worker.passed("x", 5)
    };
    // So many callers whom an earlier filter vouches for that there is no room for others.
    for client in 0..60 {
        passed(&one, &format!("user-{client}"));
    }
    for second in 0..121 {
        for worker in [&one, &other] {
            passed(worker, &format!("newcomer-{second}"));
            worker.root.tick();
        }
        wait(1);
    }
    let warnings = warnings();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    for warning in &warnings {
        assert!(
            warning.ends_with(": raise table.pages (counter tollgate.table.overflow_rejected)"),
            "{warning}"
        );
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn pages_that_another_module_has_written_are_a_warning() {
    let worker = Worker::start(&with_pages(1));
    host(|knows| knows.shared.insert(b"tollgate:00000000".to_vec(), (b"something else".to_vec(), 1)));
    assert_eq!(worker.passed("acme", 1), 1);
    worker.root.tick();
    worker.root.tick();
    let warnings = warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("a vm_id of its own"), "{warnings:?}");
}
