//! Okta.

use super::*;
use crate::harness::new_key;

const OKTA: &str = concat!(
    r#"{"errorCode":"E0000047","errorSummary":"API call exceeded rate limit due to too many requests.","#,
    r#""errorLink":"E0000047","errorId":"<id>","errorCauses":[]}"#
);

#[test]
fn okta_counts_each_of_its_apis_per_org() {
    let api = Api::of("okta");
    api.answers(|| {
        let org = format!("{}.okta.com", new_key());
        let ask = |path: &str| api.get(path).host(&org);
        vec![
            admits(
                1,
                &ask("/api/v1/users"),
                "x-rate-limit-limit: 600\nx-rate-limit-remaining: 599\nx-rate-limit-reset: <@55>",
            ),
            admits(
                599,
                &ask("/api/v1/users?limit=1"),
                "x-rate-limit-limit: 600\nx-rate-limit-remaining: 0\nx-rate-limit-reset: <@55>",
            ),
            rejects(
                &ask("/api/v1/users"),
                429,
                "x-rate-limit-limit: 600\nx-rate-limit-remaining: 0\nx-rate-limit-reset: <@55>
                 retry-after: <55>\ncontent-type: application/json",
                OKTA,
            ),
            admits(
                1,
                &ask("/api/v1/users/00u1"),
                "x-rate-limit-limit: 2000\nx-rate-limit-remaining: 1999\nx-rate-limit-reset: <@55>",
            ),
            admits(
                1,
                &ask("/api/v1/policies"),
                "x-rate-limit-limit: 1200\nx-rate-limit-remaining: 1199\nx-rate-limit-reset: <@55>",
            ),
        ]
    });
}
