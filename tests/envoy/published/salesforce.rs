//! Salesforce.

use super::*;
use crate::harness::new_key;

const SALESFORCE_DAY: &str =
    r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
/// 15,000 requests in 24 hours are documented for a Developer Edition.
#[test]
fn salesforce_allows_15000_in_24_hours_and_shows_them() {
    let api = Api::of("salesforce");
    api.answers(|| {
        let org = format!("{}.my.salesforce.com", new_key());
        let query = api.get("/services/data/v62.0/query?q=SELECT+Id+FROM+Account").host(&org);
        vec![
            admits(18, &query, "sforce-limit-info: api-usage=18/15000"),
            admits(14_982, &query, "sforce-limit-info: api-usage=15000/15000"),
            rejects(
                &query,
                403,
                "sforce-limit-info: api-usage=15000/15000\ncontent-type: application/json;charset=UTF-8",
                SALESFORCE_DAY,
            ),
        ]
    });
}
