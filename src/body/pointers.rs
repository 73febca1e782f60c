//! Where in a document numbers stand, as a tree of the names that lead there.

/// A pointer has at most so many segments.
pub const MAX_SEGMENTS: usize = 8;

/// A path through a document: names of members, or indexes of lists. One or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Parses a JSON pointer (RFC 6901), such as `/usage/total_tokens`. `None`: it is not one, or has more than
    /// [`MAX_SEGMENTS`] segments.
    pub fn parse(text: &str) -> Option<Pointer> {
        let segments: Vec<String> =
            text.strip_prefix('/')?.split('/').map(unescaped).collect::<Option<_>>()?;
        let valid = segments.len() <= MAX_SEGMENTS && segments.iter().all(|segment| !segment.is_empty());
        valid.then_some(Pointer(segments))
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for segment in &self.0 {
            text.push('/');
            text.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        }
        text
    }
}

/// `~1` stands for `/`, and `~0` for `~`.
fn unescaped(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let mut text = parts.next()?.to_string();
    for part in parts {
        let (c, rest) = (part.strip_prefix('0').map(|rest| ('~', rest)))
            .or_else(|| part.strip_prefix('1').map(|rest| ('/', rest)))?;
        text.push(c);
        text.push_str(rest);
    }
    Some(text)
}

/// A set of pointers, each with the number of its value.
#[derive(Clone, Debug, Default)]
pub struct Pointers {
    /// The first is the root. Empty: there are no pointers.
    nodes: Vec<Node>,
    values: usize,
}

/// A place in a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// The names that lead on, sorted, and the nodes that they lead to.
    children: Vec<(Vec<u8>, usize)>,
    /// The number of the value that stands here.
    value: Option<usize>,
}

impl Pointers {
    /// Adds a pointer, and returns the number of its value: the same if it is already in the set.
    pub fn add(&mut self, pointer: &Pointer) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for segment in &pointer.0 {
            let new = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { break };
            let found = node.children.binary_search_by(|(name, _)| name.as_slice().cmp(segment.as_bytes()));
            match found {
                Ok(place) => at = node.children.get(place).map_or(at, |(_, next)| *next),
                Err(place) => {
                    node.children.insert(place, (segment.clone().into_bytes(), new));
                    self.nodes.push(Node::default());
                    at = new;
                }
            }
        }
        let next = self.values;
        let Some(node) = self.nodes.get_mut(at) else { return next };
        let value = *node.value.get_or_insert(next);
        self.values = self.values.max(value.saturating_add(1));
        value
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values == 0
    }

    /// The values of a body of which nothing has been read.
    pub(super) fn no_values(&self) -> Values {
        Values(vec![None; self.values])
    }

    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }
}

impl Node {
    /// The number of the value that stands here, if one is wanted.
    pub fn value(&self) -> Option<usize> {
        self.value
    }

    /// Whether values inside of this one are wanted.
    pub fn leads_on(&self) -> bool {
        !self.children.is_empty()
    }

    /// All names that lead on.
    pub fn candidates(&self) -> Candidates {
        Candidates { from: 0, to: self.children.len(), matched: 0 }
    }

    /// The node of the element at this place of a list.
    pub fn element(&self, place: usize) -> Option<usize> {
        let mut candidates = self.candidates();
        let mut digits = itoa::Buffer::new();
        digits.format(place).bytes().for_each(|byte| candidates.narrow(self, byte));
        candidates.whole(self)
    }
}

/// The names that begin with what has been read of a name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Candidates {
    from: usize,
    to: usize,
    matched: usize,
}

impl Candidates {
    /// Whether there are none: the rest of the name does not matter.
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// The name goes on with this byte.
    pub fn narrow(&mut self, node: &Node, byte: u8) {
        let has = |place: usize, matched: usize| {
            node.children.get(place).is_some_and(|(name, _)| name.get(matched) == Some(&byte))
        };
        while self.from < self.to && !has(self.from, self.matched) {
            self.from += 1;
        }
        while self.from < self.to && !has(self.to - 1, self.matched) {
            self.to -= 1;
        }
        self.matched = self.matched.saturating_add(1);
    }

    /// No name has what the name goes on with.
    pub fn rule_out(&mut self) {
        self.to = self.from;
    }

    /// The name ends: the node that it leads to.
    pub fn whole(&self, node: &Node) -> Option<usize> {
        let (name, next) = node.children.get(self.from).filter(|_| !self.is_empty())?;
        // Of names that begin alike the shortest is the first.
        (name.len() == self.matched).then_some(*next)
    }
}

/// The values of a set of pointers in one body, in billionths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<Option<u64>>);

impl Values {
    /// The largest value that was found for a pointer. `None`: there was none.
    pub fn get(&self, value: usize) -> Option<u64> {
        self.0.get(value).copied().flatten()
    }

    pub(super) fn found(&mut self, value: usize, billionths: u64) {
        if let Some(largest) = self.0.get_mut(value) {
            *largest = (*largest).max(Some(billionths));
        }
    }
}
