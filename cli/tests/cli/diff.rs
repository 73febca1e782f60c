//! `tollgate diff`.

use super::*;

fn two(name: &str, old: &str, new: &str) -> [String; 2] {
    [("old", old), ("new", new)]
        .map(|(side, text)| file(&format!("{name}-{side}.yaml"), text).display().to_string())
}

#[test]
fn a_file_and_itself_have_no_difference() {
    let printed = tollgate(&["diff", "--exit-code", BILLIUM, BILLIUM]).success();
    assert_eq!(printed, "no difference, and all counts are kept\n");
}

#[test]
fn changes_are_told_in_order_of_what_matters_with_what_becomes_of_the_counts() {
    let old = policy("access_log: true\n");
    let new = old.replace("quota: 50", "quota: 20").replace("access_log: true", "table: { pages: 8 }");
    let [old, new] = two("order", &old, &new);
    let printed = tollgate(&["diff", &old, &new]).success();
    let expected = "3 changes

needs a restart
  table.pages: is 8; before: 16384
      Tollgate rejects it as a live update. It needs a restart or another vm_id, and either begins at zero

rejects more
  ip/limit: quota is 20; before: 50
      callers who have already used 20 or more are rejected at once

operators see
  the whole policy: access_log is no longer true, so: false
      sets filter state that an access log can show with %FILTER_STATE(wasm.tollgate:PLAIN)%; true is an object without fields

counts after a live update
  ip/limit  kept
";
    assert_eq!(printed, expected);
    let ran = tollgate(&["diff", "--exit-code", &old, &new]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, expected));
}

#[test]
fn no_text_of_a_policy_writes_control_characters_to_the_terminal() {
    let old = policy("reject: { message: before }\n");
    let [old, new] = two("control", &old, &old.replace("before", "\"a\\e[31mb\""));
    let printed = tollgate(&["diff", &old, &new]).success();
    assert!(printed.contains("message is a") && !printed.contains('\u{1B}'), "{printed:?}");
}

#[test]
fn the_changes_can_be_json() {
    let old = policy("");
    let [old, new] = two("as_json", &old, &old.replace("name: ip", "name: address"));
    let printed = json(&tollgate(&["diff", "--json", &old, &new]).success());
    assert_eq!(printed[0]["changes"][0]["severity"], "anew");
    assert_eq!(printed[0]["changes"][0]["what"], "looks renamed: it was ip");
    assert_eq!(printed[0]["counts"][0], json(r#"{ "limit": "address/limit", "counts": "new", "why": "" }"#));
}

#[test]
fn one_side_may_be_standard_input_and_an_invalid_one_is_1() {
    let ran = tollgate_reading(&["diff", "-", BILLIUM], &policy("charge: never\n"));
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.starts_with("stdin:6: error: charge: found \"never\""), "{}", ran.stderr);
    assert_eq!(tollgate(&["diff", "-", "-"]).status, 2);
    assert_eq!(tollgate(&["diff", "no/such.yaml", BILLIUM]).status, 2);
}

#[test]
fn the_filters_of_envoy_configurations_are_compared_by_name() {
    let envoy = tollgate(&["bootstrap", BILLIUM]).success();
    let stricter = envoy.replace("quota: 50", "quota: 20").replace("\"quota\": 50", "\"quota\": 20");
    assert_ne!(stricter, envoy);
    let [old, new] = two("filters", &envoy, &stricter);
    let printed = tollgate(&["diff", &old, &new]).success();
    assert!(printed.contains("ip/limit: quota is 20; before: 50"), "{printed}");
    let printed = tollgate(&["diff", BILLIUM, &new]).success();
    assert!(printed.contains("ip/limit: quota is 20; before: 50"), "{printed}");
}
