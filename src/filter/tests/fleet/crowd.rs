//! Many requests that wait for the fleet's service at once.

use super::*;

#[wasm_bindgen_test(unsupported = test)]
fn a_request_that_nobody_could_ask_for_waits_no_longer_than_the_timeout() {
    let member = Member::joined("allow");
    let before = calls();
    // The service is slow: eight calls are on their way, and no further one is sent.
    let streams: Vec<_> = (0..9)
        .map(|client| {
            host(|knows| knows.request = vec![("x-client".into(), client.to_string())]);
            let mut stream = member.0.root.create_stream(STREAM + client);
            assert_eq!(stream.request(STREAM + client), Flow::Paused);
            member.0.root.send_calls();
            stream
        })
        .collect();
    assert_eq!((calls() - before, resumed().len()), (8, 0));
    host(|knows| knows.now += 60 * MILLISECOND);
    member.0.root.tick();
    assert_eq!(resumed().len(), 9);
    assert_eq!(streams.len(), 9);
}

/// Envoy answers a stream within the end of the callback that has decided it, and the answers to many would fill
/// the VM's stack.
#[wasm_bindgen_test(unsupported = test)]
fn a_crowd_that_has_waited_is_decided_a_few_at_a_time() {
    const CROWD: u32 = 100;
    let member = Member::joined("allow");
    let streams: Vec<_> = (0..CROWD).map(|n| member.request(STREAM + n)).collect();
    assert!(streams.iter().all(|(flow, _)| *flow == Flow::Paused));
    host(|knows| knows.now += 60 * MILLISECOND);
    let mut decided = Vec::new();
    let mut ticks = 0;
    while decided.len() < CROWD as usize {
        member.0.root.tick();
        let now = resumed();
        assert!((1..=48).contains(&now.len()), "{} in tick {ticks}", now.len());
        decided.extend(now);
        ticks += 1;
        let period = if decided.len() < CROWD as usize { MILLISECOND } else { 100 * MILLISECOND };
        assert_eq!(host(|knows| knows.tick), Some(std::time::Duration::from_micros(period)), "{ticks}");
    }
    assert!(ticks > 2, "{ticks}");
    assert_eq!(decided, (STREAM..STREAM + CROWD).collect::<Vec<_>>(), "in the order in which they came");
}

#[wasm_bindgen_test(unsupported = test)]
fn of_a_crowd_whose_clients_have_left_nothing_is_decided() {
    let member = Member::joined("allow");
    let mut streams: Vec<_> = (0..100).map(|n| member.request(STREAM + n)).collect();
    host(|knows| knows.now += 60 * MILLISECOND);
    member.0.root.tick();
    let decided = resumed().len();
    // The rest is ready when it leaves.
    streams.clear();
    (0..9).for_each(|_| member.0.root.tick());
    assert_eq!((resumed().len(), decided < 100), (0, true));
    assert_eq!(host(|knows| knows.tick), Some(std::time::Duration::from_millis(100)));
}

#[wasm_bindgen_test(unsupported = test)]
fn a_crowd_of_a_configuration_that_is_replaced_is_decided_a_few_at_a_time_by_the_next() {
    const CROWD: u32 = 100;
    let Member(mut worker) = Member::joined("allow");
    let members = worker.members.clone();
    let mut next = TollgateRoot::new(Fake, worker.tables.clone(), members, 2);
    assert!(next.configure());
    let member = Member(worker);
    let _streams: Vec<_> = (0..CROWD).map(|n| member.request(STREAM + n)).collect();
    resumed();
    worker = member.0;
    drop(worker.root);
    let mut decided = resumed();
    assert!(decided.len() <= 16, "{}", decided.len());
    for tick in 0..20 {
        next.tick();
        let now = resumed();
        assert!(now.len() <= 48, "{} in tick {tick}", now.len());
        decided.extend(now);
    }
    assert_eq!(decided.len(), CROWD as usize);
    assert_eq!(host(|knows| knows.tick), Some(std::time::Duration::from_millis(100)));
}
