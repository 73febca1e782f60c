//! The part of JSON Schema that the schema of the language uses. It fails on any other keyword.

use regex_lite::Regex;
use serde_json::Value as Json;

/// The first reason why a schema rejects a value.
pub(super) fn rejection(schema: &Json, value: &Json) -> Option<String> {
    check(schema, schema, value, "$").err()
}

fn check(root: &Json, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
    let reject = |what: &str| Err(format!("{at}: {what}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        let fits = |schema: &Json| check(root, schema, value, at).is_ok();
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).expect(pointer), value, at)?;
            }
            "type" if !has_type(rule.as_str().unwrap(), value) => return reject("another type"),
            "enum" if !rule.as_array().unwrap().contains(value) => return reject("none of the words"),
            "minimum" if value.as_i64().is_some_and(|n| n < rule.as_i64().unwrap()) => {
                return reject("less");
            }
            "maximum" if value.as_i64().is_some_and(|n| n > rule.as_i64().unwrap()) => {
                return reject("more");
            }
            "pattern" if !matches(rule, value) => return reject("another pattern"),
            "minItems"
                if value.as_array().is_some_and(|list| (list.len() as u64) < rule.as_u64().unwrap()) =>
            {
                return reject("too short");
            }
            "anyOf" if !rule.as_array().unwrap().iter().any(fits) => return reject("none of several"),
            "oneOf" if rule.as_array().unwrap().iter().filter(|one| fits(one)).count() != 1 => {
                return reject("not one of several");
            }
            "required" => {
                let missing =
                    rule.as_array().unwrap().iter().find(|name| value.get(name.as_str().unwrap()).is_none());
                if let Some(name) = missing {
                    return reject(&format!("no {name}"));
                }
            }
            "items" => {
                for (i, entry) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, entry, &format!("{at}[{i}]"))?;
                }
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    rule.get(name)
                        .map_or(Ok(()), |rule| check(root, rule, value, &format!("{at}.{name}")))?;
                }
            }
            "propertyNames" => {
                for (name, _) in value.as_object().into_iter().flatten() {
                    check(root, rule, &Json::from(name.as_str()), &format!("{at}.{name}"))?;
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties");
                for (name, value) in value.as_object().into_iter().flatten() {
                    match rule {
                        _ if known.is_some_and(|known| known.get(name).is_some()) => {}
                        Json::Bool(false) => return reject(&format!("{name} is unknown")),
                        Json::Bool(true)
                        | Json::Null
                        | Json::Number(_)
                        | Json::String(_)
                        | Json::Array(_)
                        | Json::Object(_) => {
                            check(root, rule, value, &format!("{at}.{name}"))?;
                        }
                    }
                }
            }
            "allOf" => {
                for one in rule.as_array().unwrap() {
                    check(root, one, value, at)?;
                }
            }
            "not" if check(root, rule, value, at).is_ok() => return reject("excluded"),
            "dependentSchemas" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if value.get(name).is_some() {
                        check(root, schema, value, at)?;
                    }
                }
            }
            "type" | "enum" | "not" | "minimum" | "maximum" | "pattern" | "minItems" | "anyOf" | "oneOf" => {}
            other => panic!("the checker does not know {other}"),
        }
    }
    Ok(())
}

fn has_type(name: &str, value: &Json) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the checker does not know the type {other}"),
    }
}

fn matches(pattern: &Json, value: &Json) -> bool {
    value.as_str().is_none_or(|text| Regex::new(pattern.as_str().unwrap()).unwrap().is_match(text))
}
