use super::*;

fn value(text: &str) -> Value {
    read(text)
        .map(|document| document.value)
        .unwrap_or_else(|error| panic!("{}: {}", error.line, error.found))
}

fn rejected(text: &str) -> (usize, String) {
    match read(text) {
        Ok(document) => panic!("read as {:?}", document.value),
        Err(error) => (error.line, error.found),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Each of these was seen in the errors that the filter logged in Envoy 1.40.0.
#[test]
fn scalars_are_read_as_envoy_reads_them() {
    let cases = [
        ("60s", text("60s")),
        ("5", Value::Number(5.0)),
        ("+7", Value::Number(7.0)),
        ("-0x10", Value::Number(-16.0)),
        ("0x10", Value::Number(16.0)),
        ("010", Value::Number(8.0)),
        ("08", text("08")),
        ("0o7", text("0o7")),
        ("0x", text("0x")),
        ("+-5", text("+-5")),
        ("0x+5", text("0x+5")),
        ("1_0", text("1_0")),
        ("1f", text("1f")),
        ("1.0", text("1.0")),
        ("1e3", text("1e3")),
        (".5", text(".5")),
        ("2147483647", Value::Number(2_147_483_647.0)),
        ("2147483648", text("2147483648")),
        ("-2147483649", text("-2147483649")),
        ("9223372036854775808", text("9223372036854775808")),
        ("0x80000000", text("2147483648")),
        ("yes", Value::Bool(true)),
        ("No", Value::Bool(false)),
        ("ON", Value::Bool(true)),
        ("off", Value::Bool(false)),
        ("y", Value::Bool(true)),
        ("N", Value::Bool(false)),
        ("tRue", text("tRue")),
        ("", Value::Null),
        ("~", Value::Null),
        ("NULL", Value::Null),
        ("nULL", text("nULL")),
        ("\"5\"", text("5")),
        ("'true'", text("true")),
        ("''", text("")),
        ("|\n  on\n", text("on\n")),
        ("! 12", text("12")),
        ("!!str 5", Value::Number(5.0)),
        ("!!int \"6\"", Value::Number(6.0)),
        ("!!str null", text("null")),
        ("!!null 5", Value::Number(5.0)),
    ];
    for (written, meant) in cases {
        assert_eq!(value(&format!("a: {written}")), Value::Object(vec![("a".into(), meant)]), "{written}");
    }
}

#[test]
fn field_names_are_not_converted() {
    let names = |text: &str| {
        let Value::Object(fields) = value(text) else { panic!("{text}") };
        fields.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names("{ 010: 1, yes: 1, ~: 1, 'null': 1, !ignore gone: 1 }"), ["010", "yes", "null", "null"]);
    assert_eq!(names("<<: { a: 1 }"), ["<<"], "Envoy merges nothing");
}

#[test]
fn a_repeated_name_is_kept_twice() {
    let twice = Value::Object(vec![("a".into(), Value::Number(1.0)), ("a".into(), Value::Number(2.0))]);
    assert_eq!(value("a: 1\na: 2\n"), twice);
}

#[test]
fn aliases_stand_for_their_values() {
    let both = value("a: &a { b: [1] }\nc: *a\n");
    let inner = || Value::Object(vec![("b".into(), Value::List(vec![Value::Number(1.0)]))]);
    assert_eq!(both, Value::Object(vec![("a".into(), inner()), ("c".into(), inner())]));
    assert_eq!(rejected("a: &a [*a]"), (1, "an alias inside the value that it stands for".into()));
}

#[test]
fn text_that_is_not_yaml_is_rejected_with_its_line() {
    assert_eq!(rejected("a: 1\nb: [1, 2\nc: 3\n").0, 3);
    assert_eq!(rejected("a:\n  b: 1\n c: 2\n").0, 3);
    assert_eq!(rejected("a: *nowhere\n").0, 1);
    assert_eq!(rejected("a: 1\n---\nb: 2\n"), (3, "a second document, which Envoy would not read".into()));
    assert_eq!(rejected("? [1]\n: 2\n"), (1, "a field name that is not text".into()));
}

#[test]
fn a_tree_can_neither_overflow_the_stack_nor_the_memory() {
    let block = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
    assert_eq!(rejected(&block), (102, "values nested deeper than 100".into()));
    assert_eq!(rejected(&"[".repeat(100_000)).0, 1);
    let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    for i in 1..12 {
        let alias = format!("*a{}", i - 1);
        bomb += &format!("a{i}: &a{i} [{}]\n", [alias.as_str(); 10].join(","));
    }
    assert!(rejected(&bomb).1.starts_with("more than 1000000 values"));
}

#[test]
fn each_value_has_the_line_that_its_name_is_on() {
    let document = read(
        "# first\nkeys:\n  a:\n    header: x\npolicies:\n  - name: p\n    limits: [{ quota: 1,\n      window: 1s }]\n",
    );
    let lines = document.map_err(|error| error.found).unwrap().lines;
    let of = |path| lines.of(path).unwrap();
    assert_eq!((of(""), of("keys"), of("keys.a"), of("keys.a.header")), (2, 2, 3, 4));
    assert_eq!(
        (of("policies[0]"), of("policies[0].limits[0]"), of("policies[0].limits[0].window")),
        (6, 7, 8)
    );
    assert_eq!(of("policies[0].key"), 6, "what is missing is missed where it should be");
}
