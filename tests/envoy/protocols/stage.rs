//! Services and clients for protocols that the other tests do not speak.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::harness::{Gateway, Request, Response, Setup, free_address};

/// A service that treats each connection in its own way. Its threads end with the test.
pub struct Service(SocketAddr);

impl Service {
    pub fn of(serve: impl Fn(BufReader<TcpStream>) + Clone + Send + 'static) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the service");
        let address = listener.local_addr().expect("its address");
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serve = serve.clone();
                thread::spawn(move || serve(BufReader::new(stream)));
            }
        });
        Service(address)
    }

    pub fn address(&self) -> SocketAddr {
        self.0
    }
}

/// A connection to the gateway on which this was sent.
pub fn conversation(gateway: &Gateway, request: &str) -> BufReader<TcpStream> {
    let address = gateway.admin().listener("gateway").expect("the listener");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a patience");
    stream.write_all(request.as_bytes()).expect("a request sent");
    BufReader::new(stream)
}

/// The next head, of a request or of a response, interim ones too.
pub fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).unwrap_or_default() == 0 {
            break;
        }
    }
    head
}

/// Envoy as a gRPC client and as a gRPC service: what it gets by HTTP/1.1 it sends to the gateway by HTTP/2,
/// and its service speaks nothing but HTTP/2. A call that comes by HTTP/1.1 gets the trailers as headers.
pub struct GrpcStage {
    pub gateway: Gateway,
    stage: Gateway,
}

const STAGE: &str = r#"
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
static_resources:
  listeners:
    - name: gateway
      address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
      filter_chains:
        - filters:
            - name: client
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: client
                http_filters:
                  - name: bridge
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.grpc_http1_bridge.v3.Config
                  - name: router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: gateway } }] }
    - name: service
      address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
      filter_chains:
        - filters:
            - name: service
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: service
                codec_type: HTTP2
                route_config: {}
                http_filters:
                  - name: answer
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
                      default_source_code:
                        inline_string: |
                          function envoy_on_request(request)
                            local kind = request:headers():get("content-type") or "text/plain"
                            local answer = { [":status"] = "200", ["content-type"] = kind, ["x-service"] = "grpc" }
                            if kind == "application/grpc" then answer["grpc-status"] = "0" end
                            request:respond(answer, nil)
                          end
                  - name: router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: gateway
      type: STATIC
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
      load_assignment:
        cluster_name: gateway
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @GATEWAY@ } } }
"#;

impl GrpcStage {
    /// The printed configuration in front of the gRPC service.
    pub fn start(policy: &str, options: &[&str]) -> GrpcStage {
        GrpcStage::with(policy, None, options)
    }

    /// The same in front of another service.
    pub fn before(policy: &str, service: SocketAddr, options: &[&str]) -> GrpcStage {
        GrpcStage::with(policy, Some(service), options)
    }

    fn with(policy: &str, service: Option<SocketAddr>, options: &[&str]) -> GrpcStage {
        let port = free_address().port();
        let stage = Setup::whole(STAGE.replace("@GATEWAY@", &port.to_string())).start();
        let own = || stage.admin().listener("service").expect("the service");
        let service = service.unwrap_or_else(own).to_string();
        let port = port.to_string();
        let options = [&["--upstream", &service, "--port", &port], options].concat();
        GrpcStage { gateway: Setup::printed(policy, &options).start(), stage }
    }

    /// What a gRPC client with this key gets.
    pub fn call(&self, key: &str) -> Response {
        let request =
            self.stage.request("POST", "/service/Method").header("content-type", "application/grpc");
        with_key(request, key).header("te", "trailers").header("content-length", "0").send()
    }

    /// What another client of HTTP/2 gets.
    pub fn plain(&self, key: &str) -> Response {
        with_key(self.stage.get("/"), key).send()
    }

    /// How many requests have reached the gRPC service.
    pub fn served(&self) -> u64 {
        self.stage.admin().statistic("http.service.downstream_rq_total")
    }
}

fn with_key(request: Request, key: &str) -> Request {
    request.header("x-key", key)
}
