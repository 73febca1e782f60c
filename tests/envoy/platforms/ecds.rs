//! Plain Envoy with the filter in a file of extension discovery: the files of `deploy/ecds`, as they are but for
//! paths and ports.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::shape::assert_billium;
use crate::harness::{Files, Gateway, Setup, assert_more_pass, eventually, in_repository, module, new_ip};

/// The folder that stands for `/etc/tollgate`, and the Envoy that watches it.
struct Ecds {
    gateway: Gateway,
    folder: PathBuf,
    _files: Files,
}

fn shipped(name: &str) -> String {
    fs::read_to_string(in_repository("deploy/ecds").join(name)).expect("a file of deploy/ecds")
}

/// The shipped filter with another quota for each address.
fn filter(quota: &str) -> String {
    let text = shipped("tollgate.yaml");
    let limit = "limits: [{ quota: 50, window: 60s }]";
    assert!(text.contains(limit));
    text.replace("/etc/tollgate/tollgate.wasm", &module().display().to_string())
        .replace(limit, &format!("limits: [{{ quota: {quota}, window: 1h }}]"))
}

impl Ecds {
    fn start(filter: &str) -> Ecds {
        Ecds::start_with(filter, |folder, filter| {
            fs::write(folder.join("tollgate.yaml"), filter).expect("the filter");
        })
    }

    fn start_with(filter: &str, place: impl Fn(&PathBuf, &str)) -> Ecds {
        let files = Files::new();
        let folder = files.file("etc");
        fs::create_dir(&folder).expect("a folder");
        place(&folder, filter);
        let envoy = shipped("envoy.yaml")
            .replace("/etc/tollgate", &folder.display().to_string())
            .replace("0.0.0.0", "127.0.0.1")
            .replace("port_value: 9901", "port_value: 0")
            .replace("port_value: 10000", "port_value: 0")
            .replace("route: { cluster: upstream, timeout: 0s }", "direct_response: { status: 200 }");
        Ecds { gateway: Setup::whole(envoy).start(), folder, _files: files }
    }

    /// What the page says: write another file, and move it.
    fn update(&self, filter: &str) {
        let next = self.folder.join("next.yaml");
        fs::write(&next, filter).expect("the next filter");
        fs::rename(next, self.folder.join("tollgate.yaml")).expect("the filter in its place");
    }

    fn counter(&self, name: &str) -> u64 {
        let all = self.gateway.admin().statistics(&format!("extension_config_discovery.*{name}"));
        all.iter().map(|(_, count)| count).sum()
    }

    fn waits_for_more(&self, name: &str, before: u64) {
        eventually(name, || (self.counter(name) > before).then_some(()));
    }
}

#[test]
fn the_files_of_ecds_limit() {
    let text =
        shipped("tollgate.yaml").replace("/etc/tollgate/tollgate.wasm", &module().display().to_string());
    assert_billium(&Ecds::start(&text).gateway);
}

#[test]
fn a_moved_file_changes_the_policy_and_keeps_the_counts() {
    let ecds = Ecds::start(&filter("5"));
    let address = new_ip();
    let pass = || ecds.gateway.get("/").from(address).send().status == 200;
    assert_eq!((0..20).filter(|_| pass()).count(), 5);
    let reloads = ecds.counter("config_reload$");
    ecds.update(&filter("8"));
    ecds.waits_for_more("config_reload$", reloads);
    assert_more_pass(3, pass);
}

#[test]
fn after_a_faulty_file_the_old_policy_serves_on_and_a_good_one_is_taken() {
    let ecds = Ecds::start(&filter("5"));
    let address = new_ip();
    let passed = |times: usize| {
        (0..times).filter(|_| ecds.gateway.get("/").from(address).send().status == 200).count()
    };
    assert_eq!(passed(3), 3);
    let faulty = [filter("-5"), filter("5").replace("policies:", "policy:"), "resources: [".to_string()];
    for (number, faulty) in faulty.iter().enumerate() {
        let rejected = ecds.counter("update_rejected") + ecds.counter("update_failure");
        ecds.update(faulty);
        eventually("the update to be rejected", || {
            (ecds.counter("update_rejected") + ecds.counter("update_failure") > rejected).then_some(())
        });
        if number == 0 {
            assert_eq!(ecds.counter("update_rejected"), 1);
            assert!(ecds.gateway.log().contains("policies[0].limits[0].quota: found -5"));
        }
    }
    assert_eq!(passed(20), 2, "what the old policy has left");
    let reloads = ecds.counter("config_reload$");
    ecds.update(&filter("6"));
    ecds.waits_for_more("config_reload$", reloads);
    assert_more_pass(1, || passed(1) == 1);
}

/// Kubernetes replaces the files of a mounted ConfigMap by moving a symbolic link to their folder.
#[test]
fn a_changed_config_map_changes_the_policy_and_keeps_the_counts() {
    let mount = |folder: &PathBuf, version: &str, filter: &str| {
        fs::create_dir(folder.join(version)).expect("a folder");
        fs::write(folder.join(version).join("tollgate.yaml"), filter).expect("the filter");
        symlink(version, folder.join("..data_tmp")).expect("a link");
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("the link in its place");
    };
    let ecds = Ecds::start_with(&filter("5"), |folder, filter| {
        mount(folder, "..v1", filter);
        symlink("..data/tollgate.yaml", folder.join("tollgate.yaml")).expect("a link");
    });
    let address = new_ip();
    let pass = || ecds.gateway.get("/").from(address).send().status == 200;
    assert_eq!((0..20).filter(|_| pass()).count(), 5);
    mount(&ecds.folder, "..v2", &filter("8"));
    assert_more_pass(3, pass);
}
