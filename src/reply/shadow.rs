//! What the upstream is shown of policies in shadow mode, as the value of a request header.

use super::decimal::push_decimal;
use super::{ReplyRules, described, rejecting};
use crate::decision::Decision;
use std::borrow::Cow;

impl ReplyRules {
    /// The value of [`ReplyRules::shadow_header`] for a request that goes on to the upstream, such as `reject;
    /// policy=ip; limit=minute; retry_after=12`. No value in it comes from a client.
    pub fn shadow_line(&self, decision: &Decision) -> Cow<'static, str> {
        const USUAL_LEN: usize = 96;
        let Some(one) = decision.shadows().iter().find(|one| one.rejected()) else { return "accept".into() };
        let mut line = String::with_capacity(USUAL_LEN);
        let policy = self.policies.get(one.policy).map_or("", |policy| policy.name.as_str());
        line.extend(["reject; policy=", policy]);
        if let Some(limit) = rejecting(&described(self, std::slice::from_ref(one))) {
            line.extend(["; limit=", &limit.description.name]);
        }
        line.push_str("; retry_after=");
        push_decimal(&mut line, self.retry_after.seconds_in_shadow(one, decision.now));
        line.into()
    }
}
