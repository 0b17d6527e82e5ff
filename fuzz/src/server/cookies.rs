//! A `Cookie` header, in which `$a` and `$b` stand for a session's genuine cookie, `$c` for another registration's, `$v` for
//! the value of `$a`.

use std::sync::LazyLock;

use classlink_gateway::cookies::{self, RequestCookies};
use classlink_gateway::session::{FoundSessions, Session};

use super::{NOW, SESSIONS, client, session};

/// The sessions that were sealed: `$a`, `$b` and `$c`.
static SEALED: LazyLock<[(Session, String); 3]> = LazyLock::new(|| {
    [("c1", session(1, 100)), ("c1", session(2, 200)), ("c2", session(3, 300))].map(
        |(id, session)| {
            let client = client(id);
            let none = SESSIONS.find(client, &RequestCookies::parse(""), NOW);
            let Ok(lines) = SESSIONS.seal(client, &session, &none) else {
                panic!("it was not sealed")
            };
            let (pair, _) = lines[0].split_once(';').unwrap();
            (session, pair.to_owned())
        },
    )
});

/// Finds the sessions in a header, and ends them.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // RFC 9110, 5.5: no header has one, and the jar marks a missing value by it.
    if text.contains('\0') {
        return;
    }
    let [a, b, c] = &*SEALED;
    let (_, value) = a.1.split_once('=').unwrap();
    let header =
        text.replace("$a", &a.1).replace("$b", &b.1).replace("$c", &c.1).replace("$v", value);
    if header.len() > 64 * 1024 {
        return;
    }
    let mut jar = Jar::read(&header);
    let parsed = RequestCookies::parse(&header);
    assert_eq!(parsed.size_after(&[]), jar.size());
    let found = find(&header);
    check(&found, &jar);

    let mut ended = jar.clone();
    ended.take(&found.end_all(0));
    assert!(find(&ended.header()).newest().is_none(), "a session outlives the sign-out");
    if let Some(open) = found.newest() {
        let mut ended = jar.clone();
        ended.take(&found.end(&open.session.id));
        let rest = find(&ended.header());
        assert!(rest.newest().is_none_or(|rest| rest.session.id != open.session.id));
        assert!(found.next_order(0) > open.session.order);
    }
    let lines = found.clear_stale();
    let size = parsed.size_after(&lines);
    jar.take(&lines);
    assert_eq!(size, jar.size());
    let kept = find(&jar.header());
    assert_eq!(kept.newest().map(|open| &open.session), found.newest().map(|open| &open.session));
    // What a sign-out marks as over before its cookie came.
    jar.take(&kept.end(&a.0.id));
    jar.take(&[format!("{}; Path=/", a.1)]);
    assert!(find(&jar.header()).newest().is_none_or(|open| open.session != a.0));
}

fn find(header: &str) -> FoundSessions {
    SESSIONS.find(client("c1"), &RequestCookies::parse(header), NOW)
}

/// Checks that what was found was sealed, is there as it was sealed, and is not over.
fn check(found: &FoundSessions, jar: &Jar) {
    let Some(open) = found.newest() else { return };
    let sealed = SEALED[..2].iter().find(|(session, _)| *session == open.session);
    let (session, pair) = sealed.expect("a session that was not sealed");
    let (name, value) = pair.split_once('=').unwrap();
    assert_eq!(jar.value(name), Some(value));
    let start = format!("__Host-classlink-{}.", client("c1").cookie_key);
    let names = jar.0.iter().filter_map(|(name, _)| name.strip_prefix(&start));
    for name in names {
        let since = name.strip_prefix("since-").filter(|order| order.len() <= 10);
        let is_lower = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        let since = since.filter(|order| order.bytes().all(is_lower));
        let since = since.and_then(|order| u64::from_str_radix(order, 36).ok());
        assert!(since.is_none_or(|since| since <= session.order), "{name}");
        let ended = ["ended-", cookies::session_tag(&session.id)].concat();
        assert_ne!(name, ended);
    }
}

/// A browser's cookies, in the order of the header.
#[derive(Clone)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn read(header: &str) -> Self {
        let mut jar = Self(Vec::new());
        for pair in header.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, "\0"));
            if jar.value(name).is_none() {
                jar.0.push((name.to_owned(), value.to_owned()));
            }
        }
        jar
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Takes `Set-Cookie` values.
    fn take(&mut self, lines: &[String]) {
        for line in lines {
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.retain(|(one, _)| one != name);
            if !attributes.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn header(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| match value.as_str() {
            "\0" => name.clone(),
            value => format!("{name}={value}"),
        });
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The size as the budget counts it: each pair with what separates it.
    fn size(&self) -> usize {
        let size = |(name, value): &(String, String)| match value.as_str() {
            "\0" => name.chars().count() + 2,
            value => name.chars().count() + 1 + value.chars().count() + 2,
        };
        self.0.iter().map(size).sum()
    }
}
