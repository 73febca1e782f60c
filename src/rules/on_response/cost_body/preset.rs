//! Where the APIs of language models report the tokens of a request.

use super::{CostTerm, Weight};
use crate::body::Pointer;
use crate::config::{Word, Words};

/// One API.
#[derive(Debug)]
pub struct BodyPreset {
    /// Its word in the language.
    pub word: &'static str,
    /// The numbers that make up the tokens of a request.
    terms: &'static [PresetTerm],
}

impl PartialEq for BodyPreset {
    fn eq(&self, other: &BodyPreset) -> bool {
        self.word == other.word
    }
}

/// What kind of tokens a number counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TokenKind {
    /// What the model reads.
    Input,
    /// What the model does not read anew, because it is in a cache.
    Cached,
    /// What the model writes, its thoughts included.
    Output,
}

#[derive(Debug)]
struct PresetTerm {
    kind: TokenKind,
    at: &'static [&'static str],
    /// What of it is counted as [`TokenKind::Cached`].
    without: &'static [&'static str],
}

const fn term(kind: TokenKind, at: &'static [&'static str]) -> PresetTerm {
    PresetTerm { kind, at, without: &[] }
}

/// The cached tokens of OpenAI, which are part of the input.
const OPENAI_CACHED: &[&str] = &[
    "/usage/prompt_tokens_details/cached_tokens",
    "/usage/input_tokens_details/cached_tokens",
    "/response/usage/input_tokens_details/cached_tokens",
];

/// OpenAI's API of chat completions and its API of responses, whose events have the response inside.
const OPENAI: BodyPreset = BodyPreset {
    word: "openai",
    terms: &[
        PresetTerm {
            kind: TokenKind::Input,
            at: &["/usage/prompt_tokens", "/usage/input_tokens", "/response/usage/input_tokens"],
            without: OPENAI_CACHED,
        },
        term(TokenKind::Cached, OPENAI_CACHED),
        term(
            TokenKind::Output,
            &["/usage/completion_tokens", "/usage/output_tokens", "/response/usage/output_tokens"],
        ),
    ],
};

/// A stream reports the input in its first event, inside of `message`, and the output in its last one. What is
/// read from a cache or written to it comes on top of the input.
const ANTHROPIC: BodyPreset = BodyPreset {
    word: "anthropic",
    terms: &[
        term(TokenKind::Input, &["/usage/input_tokens", "/message/usage/input_tokens"]),
        term(
            TokenKind::Input,
            &["/usage/cache_creation_input_tokens", "/message/usage/cache_creation_input_tokens"],
        ),
        term(
            TokenKind::Cached,
            &["/usage/cache_read_input_tokens", "/message/usage/cache_read_input_tokens"],
        ),
        term(TokenKind::Output, &["/usage/output_tokens", "/message/usage/output_tokens"]),
    ],
};

const GEMINI_CACHED: &[&str] = &["/usageMetadata/cachedContentTokenCount"];

/// Thoughts come on top of the candidates, and what tools return on top of the prompt.
const GEMINI: BodyPreset = BodyPreset {
    word: "gemini",
    terms: &[
        PresetTerm {
            kind: TokenKind::Input,
            at: &["/usageMetadata/promptTokenCount"],
            without: GEMINI_CACHED,
        },
        term(TokenKind::Input, &["/usageMetadata/toolUsePromptTokenCount"]),
        term(TokenKind::Cached, GEMINI_CACHED),
        term(TokenKind::Output, &["/usageMetadata/candidatesTokenCount"]),
        term(TokenKind::Output, &["/usageMetadata/thoughtsTokenCount"]),
    ],
};

const BEDROCK: BodyPreset = BodyPreset {
    word: "bedrock",
    terms: &[
        term(TokenKind::Input, &["/usage/inputTokens"]),
        term(TokenKind::Input, &["/usage/cacheWriteInputTokens"]),
        term(TokenKind::Cached, &["/usage/cacheReadInputTokens"]),
        term(TokenKind::Output, &["/usage/outputTokens"]),
    ],
};

/// All of them.
pub const BODY_PRESETS: &Words<&BodyPreset> = &Words(&[
    Word::new(
        OPENAI.word,
        &OPENAI,
        "OpenAI's chat completions, responses and embeddings, and whoever answers like them; a stream of chat \
         completions reports its tokens only if the request has `stream_options: { include_usage: true }`",
    ),
    Word::new(
        ANTHROPIC.word,
        &ANTHROPIC,
        "Anthropic's messages; tokens that are written to the cache are input",
    ),
    Word::new(
        GEMINI.word,
        &GEMINI,
        "Gemini's `generateContent` and `streamGenerateContent`; thoughts are output, and what tools return is \
         input",
    ),
    Word::new(
        BEDROCK.word,
        &BEDROCK,
        "`Converse` of Amazon Bedrock; its `ConverseStream` is binary and cannot be read",
    ),
]);

impl BodyPreset {
    /// The kind of tokens that each of its terms counts.
    pub fn kinds(&self) -> impl Iterator<Item = TokenKind> {
        self.terms.iter().map(|term| term.kind)
    }

    /// Its terms, with the weight of each kind of tokens.
    pub fn terms(&self, weight: impl Fn(TokenKind) -> Weight) -> Vec<CostTerm> {
        let parsed = |all: &[&str]| all.iter().filter_map(|text| Pointer::parse(text)).collect();
        let term = |term: &PresetTerm| CostTerm {
            without: parsed(term.without),
            ..CostTerm::new(parsed(term.at), weight(term.kind))
        };
        self.terms.iter().map(term).collect()
    }
}
