//! Envoys that serve one test after the other. To start one costs two seconds of CPU, nearly all of them to compile
//! the module; V8 keeps what it has compiled for as long as a listener uses it.
//!
//! Each test gets a listener with a VM id of its own. So no other test has its VMs, its counts or its blocks. Nobody
//! else has the Envoy before the test ends. What Envoy counts for the whole process is for [`Setup::alone`].

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::bootstrap::Setup;
use super::envoy::{Envoy, Options};
use super::files::Files;
use super::template::{VM_ANCHOR, VM_ID};
use super::wait::eventually;

/// Those that no test has at the moment.
static IDLE: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// The policy of the listener that nobody asks. It is there so that the compiled module is, too.
const NOBODYS: &str = "keys: { one: { constant: one } }
policies: [{ name: nobodys, key: one, limits: [{ quota: 1, window: 1h }] }]
";

/// An empty file of Envoy's discovery.
const NOTHING: &str = "resources: []\n";

/// How these Envoys are started. Whoever wants it otherwise gets an Envoy alone.
pub(super) const OPTIONS: Options = Options { workers: 2, module_log_level: "info", drains_at_once: true };

pub(super) struct Kept {
    pub envoy: Envoy,
    /// How many tests it has served.
    served: u32,
    /// Where the log of the present test begins.
    log_begins: usize,
}

impl Kept {
    /// One with a listener for this, and the listener's address.
    pub fn take(setup: &Setup) -> (Self, SocketAddr) {
        let mut kept = idle().unwrap_or_else(Self::start);
        let address = kept.serve(setup);
        (kept, address)
    }

    /// Gives it to whoever comes next.
    pub fn put_back(self) {
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(self);
    }

    /// The listener of the present test, whose statistics are called after it.
    pub fn listener(&self) -> String {
        format!("gateway-{}", self.served)
    }

    /// What Envoy has logged for the present test.
    pub fn log(&self) -> String {
        self.envoy.files.log_from(self.log_begins)
    }

    fn start() -> Self {
        let files = Files::new();
        files.publish_listeners(NOTHING);
        files.publish_clusters(NOTHING);
        let [listeners, clusters] =
            [files.listeners(), files.clusters()].map(|file| file.display().to_string());
        let file = Setup::yaml(NOBODYS).bootstrap(&files.listeners());
        files.write_bootstrap(&format!(
            "node: {{ id: gateway, cluster: gateway }}
dynamic_resources:
  lds_config: {{ path_config_source: {{ path: \"{listeners}\" }} }}
  cds_config: {{ path_config_source: {{ path: \"{clusters}\" }} }}
{file}"
        ));
        Self { envoy: Envoy::start(files, &OPTIONS), served: 0, log_begins: 0 }
    }

    fn serve(&mut self, setup: &Setup) -> SocketAddr {
        let Envoy { files, admin, .. } = &self.envoy;
        self.served += 1;
        self.log_begins = files.log_length();
        let (listener, cluster) = (self.listener(), format!("external-{}", self.served));
        let named = |text: String| {
            // As a name, and as the name of the cluster's endpoints.
            let text = text.replace("name: external\n", &format!("name: {cluster}\n"));
            let text = text.replace("cluster: external", &format!("cluster: {cluster}"));
            let text = text.replace("name: gateway\n", &format!("name: {listener}\n"));
            let text = text.replace("stat_prefix: gateway\n", &format!("stat_prefix: {listener}\n"));
            text.replace(VM_ANCHOR, &format!("vm_id: \"{VM_ID}-{}\"", self.served))
        };
        if let Some(clusters) = setup.clusters() {
            files.publish_clusters(&named(clusters));
            let known = || admin.try_page("/clusters")?.contains(&format!("{cluster}::")).then_some(());
            eventually("Envoy to know the cluster", known);
        }
        files.publish_listeners(&named(setup.listeners()));
        eventually("Envoy to open the listener", || admin.listener(&listener))
    }
}

/// One that has ended by itself was the failure of the test that had it.
fn idle() -> Option<Kept> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    idle.retain_mut(|kept| kept.envoy.process.ended().is_none());
    idle.pop()
}
