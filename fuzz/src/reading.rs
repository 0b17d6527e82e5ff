//! How inputs are laid out, and how independent libraries read them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use classlink_spa::protocol::json;
use serde_json::{Map, Value};

/// Takes the first line of an input off, without its end.
pub fn line<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, rest) = input.split_at(end);
    *input = rest.get(1..).unwrap_or_default();
    line
}

/// Removes the first line and returns it as text; empty if it is not UTF-8.
pub fn text_line<'a>(input: &mut &'a [u8]) -> &'a str {
    std::str::from_utf8(line(input)).unwrap_or_default()
}

/// Parses a number; returns `other` if the word is not one.
pub fn number<T: std::str::FromStr>(word: Option<&str>, otherwise: T) -> T {
    word.and_then(|word| word.parse().ok()).unwrap_or(otherwise)
}

/// A JSON object as `serde_json` reads it; `None` if our reader takes none: the `json` target compares the two.
pub fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    json::parse_object(bytes)?;
    serde_json::from_slice(bytes).ok()
}

/// A member that is a string with something in it.
pub fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Returns a member that is an identifier: a string that is not empty, or an integer that was not rounded.
pub fn identifier(members: &Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        value => value.as_u64().filter(|number| *number < 1 << 53).map(|number| number.to_string()),
    }
}

/// Whether two readers took the same number: ours rounds more than once on the way, and reads what is all but nothing as
/// nothing.
pub fn is_close(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= theirs.abs() * 1e-12 + 1e-289
}

/// Nothing here waits for anything, so asking once is enough.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}
