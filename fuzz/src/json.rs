//! JSON beside `serde_json`: what is taken and refused, and what is read.

use classlink_spa::protocol::json::{self, Object, Value};
use serde_json::{Map, Value as Theirs};

use crate::reading::{identifier, is_close, object, text};

/// Within so much of the largest number it is a matter of rounding whether one is taken (RFC 8259, 6).
const NEARLY_TOO_LARGE: f64 = f64::MAX * (1.0 - 1e-12);

/// Reads the bytes twice and compares, then writes and reads them again.
pub fn run(data: &[u8]) {
    let theirs = serde_json::from_slice(data).ok();
    let ours = json::parse_object(data);
    let numbers = || data.split(|byte| !byte.is_ascii_digit() && *byte != b'.');
    let before_point =
        |number: &[u8]| number.split(|byte| *byte == b'.').next().map_or(0, <[u8]>::len);
    let is_long = numbers().any(|number| number.len() > 19);
    let is_too_long = numbers().any(|number| before_point(number) > 300);
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(Theirs::Object(theirs))) => (ours, theirs),
        (Some(ours), _) => {
            return assert!(
                takes_huge_number(&Value::Object(ours)),
                "ours takes what serde refuses"
            );
        }
        (None, theirs) => {
            let theirs = theirs.filter(Theirs::is_object);
            let refused = theirs.is_some_and(|theirs| !has_huge_number(&theirs));
            return assert!(!refused || is_too_long, "ours refuses what serde takes");
        }
    };
    same_members(&ours, &theirs, is_long);
    for name in theirs.keys() {
        readers(&ours, &theirs, name);
    }
    writing(&ours);
}

fn has_huge_number(value: &Theirs) -> bool {
    match value {
        Theirs::Number(number) => {
            number.as_f64().is_none_or(|number| number.abs() > NEARLY_TOO_LARGE)
        }
        Theirs::Array(items) => items.iter().any(has_huge_number),
        Theirs::Object(members) => members.values().any(has_huge_number),
        _ => false,
    }
}

fn takes_huge_number(value: &Value) -> bool {
    match value {
        Value::Number(number, _) => number.abs() > NEARLY_TOO_LARGE,
        Value::Array(items) => items.iter().any(takes_huge_number),
        Value::Object(object) => object.members().any(|(_, value)| takes_huge_number(value)),
        _ => false,
    }
}

fn same_members(ours: &Object, theirs: &Map<String, Theirs>, is_long: bool) {
    for (name, _) in ours.members() {
        assert!(theirs.contains_key(name), "a member that is none");
    }
    for (name, theirs) in theirs {
        same(ours.get(name).expect("a member is missing"), theirs, is_long);
    }
}

/// `is_long`: there are so many digits that an exponent which is out of range may lead back into it. Such a number reads as
/// nothing.
fn same(ours: &Value, theirs: &Theirs, is_long: bool) {
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => {}
        (Value::Bool(ours), Theirs::Bool(theirs)) => assert_eq!(ours, theirs),
        (Value::String(ours), Theirs::String(theirs)) => assert_eq!(ours, theirs),
        (Value::Number(ours, _), Theirs::Number(number)) => {
            let theirs = number.as_f64().unwrap();
            let is_nothing = is_long && *ours == 0.0 && theirs.abs() < 1.0;
            assert!(is_close(*ours, theirs) || is_nothing, "{ours:e} is not {theirs:e}");
            if number.as_u64().is_some_and(|number| number < 1 << 53) {
                assert_eq!(ours.to_bits(), theirs.to_bits(), "a whole number was rounded");
            }
        }
        (Value::Array(ours), Theirs::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len());
            ours.iter().zip(theirs).for_each(|(ours, theirs)| same(ours, theirs, is_long));
        }
        (Value::Object(ours), Theirs::Object(theirs)) => same_members(ours, theirs, is_long),
        _ => panic!("{ours:?} is not {theirs:?}"),
    }
}

/// Each reader of a member takes its own type alone.
fn readers(ours: &Object, theirs: &Map<String, Theirs>, name: &str) {
    let value = &theirs[name];
    assert_eq!(ours.get_str(name), value.as_str());
    assert_eq!(ours.get_non_empty_str(name), text(theirs, name));
    assert_eq!(ours.get_f64(name).is_some(), value.is_number());
    let whole = value.as_u64().and_then(|number| u32::try_from(number).ok());
    assert_eq!(ours.get_u32(name), whole);
    assert_eq!(ours.get_string_or_integer(name), identifier(theirs, name));
    let words = value.as_array().and_then(|items| items.iter().map(Theirs::as_str).collect());
    let words = words.map(|words: Vec<_>| words.join(" "));
    // What matters is the words between the spaces.
    let apart = |words: &Option<String>| {
        let words = words.as_ref()?.split_ascii_whitespace();
        Some(words.map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(apart(&ours.get_joined_strings(name)), apart(&words));
}

/// Serializes and parses again, which changes nothing.
fn writing(ours: &Object) {
    let written = json::write_object(ours);
    let again = json::parse_object(written.as_bytes()).expect("what was written can't be read");
    assert!(again.strings().eq(ours.strings()));
    assert!(object(written.as_bytes()).is_some(), "serde can't read what was written");
}
