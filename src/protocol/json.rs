//! Lenient reading of untrusted JSON, member by member.

use serde_json::{Map, Value};

/// A JSON object as it came from outside. Of a member that comes twice the last counts (RFC 7519, section 4).
pub type Object = Map<String, Value>;

/// Reads a JSON object; `None` where the bytes are anything else.
#[must_use]
pub fn object(bytes: &[u8]) -> Option<Object> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A member that is a string.
#[must_use]
pub fn string<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A member that is a string with something in it.
#[must_use]
pub fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    string(object, name).filter(|text| !text.is_empty())
}

/// A member that is a number.
#[must_use]
pub fn number(object: &Object, name: &str) -> Option<f64> {
    object.get(name)?.as_f64()
}

/// A member that is a whole number from 0 to 4,294,967,295.
#[must_use]
pub fn whole(object: &Object, name: &str) -> Option<u32> {
    object.get(name)?.as_u64()?.try_into().ok()
}

/// An identifier that some answers write as a string and others as an integer.
#[must_use]
pub fn identifier(object: &Object, name: &str) -> Option<String> {
    /// Beyond this an integer may have been rounded on its way (RFC 7493, 2.2).
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    let value = object.get(name)?;
    if let Some(text) = value.as_str() {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    let number = value.as_u64().filter(|number| *number <= MAX_SAFE_INTEGER)?;
    Some(number.to_string())
}

/// A member that is an array of strings; `None` where it is anything else.
#[must_use]
pub fn strings(object: &Object, name: &str) -> Option<Vec<String>> {
    let items = object.get(name)?.as_array()?;
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Object {
        object(text.as_bytes()).unwrap()
    }

    /// Members of every JSON type.
    fn mixed() -> Object {
        read(
            r#"{"text":"a","empty":"","number":5,"zero":0,"fraction":5.5,"negative":-5,"true":true,
            "null":null,"array":["a","b"],"nothing":[],"mixed":["a",1],"object":{"a":"b"}}"#,
        )
    }

    #[test]
    fn an_object_is_read_and_nothing_else_is() {
        assert!(object(b" {} ").unwrap().is_empty());
        for bytes in [
            &b""[..],
            b"[]",
            b"null",
            b"\"{}\"",
            b"5",
            b"{",
            b"{}{}",
            b"{} x",
            b"{a:1}",
            b"{\"a\":1,}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
        ] {
            assert_eq!(object(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn nesting_has_a_limit_and_does_not_exhaust_the_stack() {
        let nested = |depth: usize| {
            let text = ["{\"a\":", &"[".repeat(depth), &"]".repeat(depth), "}"].concat();
            object(text.as_bytes()).is_some()
        };
        assert!(nested(100));
        assert!(!nested(100_000));
    }

    #[test]
    fn of_two_members_the_last_counts() {
        assert_eq!(string(&read(r#"{"a":"1","b":"2","a":"3","\u0061":"4"}"#), "a"), Some("4"));
    }

    #[test]
    fn a_name_that_javascript_knows_is_a_name_like_others() {
        let object = read(r#"{"__proto__":"a","constructor":"b"}"#);
        assert_eq!(string(&object, "__proto__"), Some("a"));
        assert_eq!(string(&object, "toString"), None);
    }

    #[test]
    fn each_reader_takes_its_own_type_alone() {
        let object = mixed();
        let found = |reads: fn(&Object, &str) -> bool| {
            let names = object.keys().filter(|name| reads(&object, name));
            names.map(String::as_str).collect::<Vec<_>>()
        };
        assert_eq!(found(|object, name| string(object, name).is_some()), ["empty", "text"]);
        assert_eq!(found(|object, name| text(object, name).is_some()), ["text"]);
        assert_eq!(
            found(|object, name| number(object, name).is_some()),
            ["fraction", "negative", "number", "zero"]
        );
        assert_eq!(
            found(|object, name| identifier(object, name).is_some()),
            ["number", "text", "zero"]
        );
        assert_eq!(found(|object, name| strings(object, name).is_some()), ["array", "nothing"]);
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let object = mixed();
        assert_eq!(string(&object, "empty"), Some(""));
        assert_eq!(text(&object, "text"), Some("a"));
        assert_eq!(number(&object, "number"), Some(5.0));
        assert_eq!(number(&object, "fraction"), Some(5.5));
        assert_eq!(number(&object, "negative"), Some(-5.0));
        assert_eq!(strings(&object, "array"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(strings(&object, "nothing"), Some(Vec::new()));
        assert_eq!(identifier(&object, "missing"), None);
    }

    #[test]
    fn an_identifier_is_a_string_as_it_stands_or_a_whole_number_that_nobody_rounded() {
        for (json, identifier) in [
            (r#""2284""#, Some("2284")),
            (r#""0042""#, Some("0042")),
            (r#"" ""#, Some(" ")),
            (r#""""#, None),
            ("2284", Some("2284")),
            ("0", Some("0")),
            ("9007199254740991", Some("9007199254740991")),
            ("9007199254740992", None),
            ("18446744073709551615", None),
            ("18446744073709551616", None),
            ("-1", None),
            ("2284.0", None),
            ("2284.5", None),
            ("1e3", None),
            ("true", None),
            ("null", None),
            (r#"["2284"]"#, None),
        ] {
            let object = read(&[r#"{"id":"#, json, "}"].concat());
            assert_eq!(super::identifier(&object, "id").as_deref(), identifier, "{json}");
        }
    }

    #[test]
    fn a_whole_number_has_no_fraction_no_sign_and_32_bits() {
        for (json, whole) in [
            ("0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("-1", None),
            ("5.0", None),
            ("5.5", None),
            ("\"5\"", None),
            ("null", None),
        ] {
            let object = read(&[r#"{"n":"#, json, "}"].concat());
            assert_eq!(super::whole(&object, "n"), whole, "{json}");
        }
        assert_eq!(whole(&mixed(), "missing"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&bytes);
        }

        #[test]
        fn a_safe_integer_is_the_same_identifier_as_its_digits(number in 0..1u64 << 53) {
            let object = read(&format!(r#"{{"number":{number},"text":"{number}"}}"#));
            prop_assert_eq!(identifier(&object, "number"), identifier(&object, "text"));
        }
    }
}
