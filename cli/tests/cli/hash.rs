use super::*;

#[test]
fn a_key_is_hashed_without_the_line_feed_at_its_end() {
    // RFC 6234, test vector 1.
    let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    for input in ["abc", "abc\n", "abc\r\n"] {
        assert_eq!(tollgate_reading(&["hash"], input).success(), abc);
    }
    assert_ne!(tollgate_reading(&["hash"], "abc ").success(), abc, "a blank is a part of it");
}

#[test]
fn no_key_and_several_keys_are_rejected() {
    for input in ["", "\n", "abc\ndef\n"] {
        let ran = tollgate_reading(&["hash"], input);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{input:?}");
        assert!(ran.stderr.starts_with("tollgate: standard input has "));
    }
}
