//! What the rules ask about a caller, when they read a key's value and when they judge it.

use super::{Caller, PresentedCredential};
use crate::http::{MetadataPath, PathTemplate, Request, RequestCache};
use crate::rules::source::Facts;
use crate::rules::validity::ValueFacts;
use crate::rules::{Attribute, RequestMatch};

/// What a key's source can ask, for one match.
pub(super) struct KeyFacts<'c, 't, 'a, R> {
    pub caller: &'c Caller<'a, R>,
    /// The key, by index.
    pub key: usize,
    pub rule: Option<&'t RequestMatch>,
}

impl<'c, R: Request> Facts<'c> for KeyFacts<'c, '_, '_, R> {
    type Request = R;

    fn request(&self) -> &'c RequestCache<'c, R> {
        self.caller.request
    }

    fn template(&self) -> Option<&PathTemplate> {
        self.rule.and_then(RequestMatch::path)
    }

    fn match_name(&self) -> Option<&str> {
        self.rule.and_then(RequestMatch::name)
    }

    fn presented(&self) -> Option<&'c [u8]> {
        let value = self.caller.presented(self.key)?.value.as_deref();
        if value.is_none() {
            self.caller.note_unreadable(self.key);
        }
        value
    }

    fn attribute(&self, attribute: &Attribute) -> Option<&'c [u8]> {
        if self.caller.hides_the_consumer() {
            return Some(&[]);
        }
        let consumers = self.caller.callers.consumers.list();
        Some(consumers.get(self.caller.consumer()?)?.attribute(attribute)?.as_bytes())
    }
}

/// What the proof of a key's value can ask.
pub(super) struct PresentedFacts<'c, 'a, R> {
    pub caller: &'c Caller<'a, R>,
    /// The key, by index.
    pub key: usize,
    pub presented: &'c PresentedCredential<'a>,
}

impl<R: Request> ValueFacts for PresentedFacts<'_, '_, R> {
    fn has_owner(&self) -> bool {
        self.caller.owner(self.key, self.presented).is_some()
    }

    fn affirms(&self, path: &MetadataPath) -> bool {
        self.caller.request.uncached().affirms(path)
    }

    fn was_rejected(&self) -> bool {
        self.caller.rejected.contains(&self.key)
    }
}
