//! Docker Hub.

use super::*;
use crate::harness::{new_ip, new_key};

const DOCKER: &str = concat!(
    "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: ",
    "https://www.docker.com/increase-rate-limits"
);

#[test]
fn docker_hub_allows_100_pulls_in_six_hours_and_a_head_costs_nothing() {
    let api = Api::of("docker-hub");
    api.answers(|| {
        let ip = new_ip();
        let manifest = |method: &str| api.request(method, "/v2/library/alpine/manifests/3.22").from(ip);
        let over = "ratelimit-limit: 100;w=21600\nratelimit-remaining: 0;w=21600
                    retry-after: <21600>\ncontent-type: text/plain; charset=utf-8";
        vec![
            admits(3, &manifest("HEAD"), "ratelimit-limit: 100;w=21600\nratelimit-remaining: 100;w=21600"),
            admits(80, &manifest("GET"), "ratelimit-limit: 100;w=21600\nratelimit-remaining: 20;w=21600"),
            admits(3, &manifest("HEAD"), "ratelimit-limit: 100;w=21600\nratelimit-remaining: 20;w=21600"),
            admits(20, &manifest("GET"), "ratelimit-limit: 100;w=21600\nratelimit-remaining: 0;w=21600"),
            rejects(&manifest("GET"), 429, over, DOCKER),
            admits(1, &manifest("HEAD"), "ratelimit-limit: 100;w=21600\nratelimit-remaining: 0;w=21600"),
            admits(1, &api.get("/v2/library/alpine/blobs/sha256:1").from(ip), ""),
        ]
    });
}

#[test]
fn docker_hub_allows_a_user_200_and_a_paid_plan_any_number() {
    let api = Api::of("docker-hub");
    api.answers(|| {
        let pull = |plan: &str, user: &str| {
            let request = api.get("/v2/acme/app/manifests/latest").metadata("user", user);
            request.metadata("plan", plan)
        };
        let (personal, team) = (pull("personal", &new_key()), pull("team", &new_key()));
        let over = "ratelimit-limit: 200;w=21600\nratelimit-remaining: 0;w=21600
                    retry-after: <21600>\ncontent-type: text/plain; charset=utf-8";
        vec![
            admits(200, &personal, "ratelimit-limit: 200;w=21600\nratelimit-remaining: 0;w=21600"),
            rejects(&personal, 429, over, DOCKER),
            admits(300, &team, ""),
        ]
    });
}
