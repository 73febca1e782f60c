//! Workers that share a table, and tables that stand beside each other.

use super::*;

#[wasm_bindgen_test(unsupported = test)]
fn workers_of_one_process_share_their_counts() {
    let one = Worker::start(TWO_PER_MINUTE);
    let other = Worker::join(Fake);
    assert_eq!(one.passed("acme", 1) + other.passed("acme", 5), 2);
}

/// A policy with the table of this name.
fn in_table(name: &str) -> String {
    TWO_PER_MINUTE.replacen('{', &format!(r#"{{"table": {{"name": "{name}"}},"#), 1)
}

#[wasm_bindgen_test(unsupported = test)]
fn tables_share_counts_only_if_they_have_the_same_name() {
    let unnamed = Worker::start(TWO_PER_MINUTE);
    let ingress = Worker::join(Fake::again(&in_table("ingress")));
    let orders = Worker::join(Fake::again(&in_table("orders")));
    let ingress_too = Worker::join(Fake::again(&in_table("ingress")));
    assert_eq!(unnamed.passed("acme", 5), 2);
    assert_eq!(orders.passed("acme", 5), 2);
    assert_eq!(ingress.passed("acme", 1) + ingress_too.passed("acme", 5), 2);
}

/// Envoy runs filters with the same `vm_id` and module in one VM.
#[wasm_bindgen_test(unsupported = test)]
fn tables_with_different_names_in_one_vm_do_not_share_counts() {
    let worker = Worker::start(&in_table("ingress"));
    let configure = |configuration: &str| {
        let host = Fake::again(configuration);
        let mut root = TollgateRoot::new(host, worker.tables.clone(), worker.members.clone(), 2);
        assert!(root.configure());
        Worker { tables: worker.tables.clone(), members: worker.members.clone(), root }
    };
    assert_eq!(worker.passed("acme", 5), 2);
    assert_eq!(configure(&in_table("orders")).passed("acme", 5), 2);
    assert_eq!(configure(&in_table("ingress")).passed("acme", 5), 0);
    assert_eq!(configure(TWO_PER_MINUTE).passed("acme", 5), 2);
}

#[wasm_bindgen_test(unsupported = test)]
fn tables_of_different_sizes_can_stand_beside_each_other_by_name() {
    let _unnamed = Worker::start(TWO_PER_MINUTE);
    let smaller = in_table("small").replacen("\"name\"", "\"pages\": 8, \"name\"", 1);
    assert_eq!(Worker::join(Fake::again(&smaller)).passed("acme", 5), 2);
    let without_name = smaller.replace(", \"name\": \"small\"", "");
    let host = Fake::again(&without_name);
    assert!(!TollgateRoot::new(host, WorkerTables::default(), Members::default(), 1).configure());
}

/// Keys of tables end with four bytes of a digest, so two names can have the same keys.
#[wasm_bindgen_test(unsupported = test)]
fn a_name_that_cannot_be_told_from_that_of_a_running_table_is_an_error() {
    let _ours = Worker::start(&in_table("ours"));
    host(|knows| {
        let (_, (header, _)) =
            knows.shared.iter_mut().find(|(key, _)| key.starts_with(b"tollgate:table")).unwrap();
        assert!(header.ends_with(b"ours"));
        header.truncate(header.len() - 4);
        header.extend_from_slice(b"others");
    });
    let host = Fake::again(&in_table("ours"));
    assert!(!TollgateRoot::new(host, WorkerTables::default(), Members::default(), 1).configure());
}
