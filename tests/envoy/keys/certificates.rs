//! A gateway that asks its clients for certificates, and clients that have some. The clients' side of TLS is Envoy,
//! too: for each client a listener forwards what it gets, with the client's certificate.

use crate::harness::{Gateway, Request, Setup, free_address, in_repository};

/// A client of the gateway, by the certificate that it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Client {
    Web,
    Cart,
    Mail,
    /// With the names of `Web`, signed by nobody whom the gateway trusts.
    Forged,
    /// It shows none.
    Without,
}

const CLIENTS: [(Client, &str); 5] = [
    (Client::Web, "web"),
    (Client::Cart, "cart"),
    (Client::Mail, "mail"),
    (Client::Forged, "forged"),
    (Client::Without, "without"),
];

const TLS: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

pub struct Tls(Gateway);

impl Tls {
    /// A gateway that lets in clients without a certificate, and of those with one only whom its authority knows.
    pub fn start(policy: &str) -> Tls {
        let free = free_address().port();
        let listener = "      filter_chains:\n        - filters:\n            - name: envoy.filters.network.http_connection_manager\n              typed_config:\n                \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n                stat_prefix: gateway";
        let downstream = format!(
            "{{ name: tls, typed_config: {{ \"@type\": {TLS}.DownstreamTlsContext, common_tls_context: {{ {}, \
             validation_context: {{ trusted_ca: {{ filename: \"{}\" }} }} }} }} }}",
            shown("gateway"),
            file("ca.pem"),
        );
        let chain = format!("- transport_socket: {downstream}\n          filters:");
        let forwarders: String = CLIENTS.iter().map(|(_, name)| forwarder(name)).collect();
        let clusters: String = CLIENTS.iter().map(|(_, name)| cluster(name, free)).collect();
        let setup = Setup::printed(policy, &["--port", &free.to_string()])
            .replacing(listener, &listener.replace("- filters:", &chain))
            .replacing("\n  clusters:\n", &format!("\n{forwarders}  clusters:\n{clusters}"));
        Tls(setup.start())
    }

    pub fn get(&self, client: Client, target: &str) -> Request {
        let (_, name) = CLIENTS.iter().find(|(one, _)| *one == client).unwrap();
        let address = self.0.admin().listener(name).expect("its listener");
        Request::new(address, "GET", target)
    }
}

fn file(name: &str) -> String {
    in_repository("tests/data/certificates").join(name).display().to_string()
}

fn shown(name: &str) -> String {
    let (chain, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
    format!(
        "tls_certificates: [{{ certificate_chain: {{ filename: \"{chain}\" }}, private_key: {{ filename: \"{key}\" }} }}]"
    )
}

fn forwarder(name: &str) -> String {
    format!(
        "    - name: {name}
      address: {{ socket_address: {{ address: 127.0.0.1, port_value: 0 }} }}
      filter_chains:
        - filters:
            - name: tcp
              typed_config:
                \"@type\": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
                stat_prefix: {name}
                cluster: {name}
"
    )
}

fn cluster(name: &str, port: u16) -> String {
    let shown = if name == "without" { String::new() } else { shown(name) };
    format!(
        "    - name: {name}
      type: STATIC
      transport_socket:
        name: tls
        typed_config: {{ \"@type\": {TLS}.UpstreamTlsContext, common_tls_context: {{ {shown} }} }}
      load_assignment:
        cluster_name: {name}
        endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }} }}] }}]
"
    )
}
