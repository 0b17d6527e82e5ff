//! The page's URL (`location`), and which paths of it a login may return to.

use web_sys::Url;

use super::window;
use crate::error::{Error, ErrorCode};
use crate::protocol::url;

/// Returns a URL of this origin as a path with query and fragment. Refuses what a router could take for another origin:
/// `//evil`, `/\evil`, `javascript:`.
///
/// # Errors
/// `config_invalid`.
pub fn same_origin_path(url: &str) -> Result<String, Error> {
    path_of(url).ok_or_else(|| {
        let message =
            "`returnTo` must be a URL of the page's own origin, such as \"/classes?page=2\"";
        Error::new(ErrorCode::ConfigInvalid, message)
    })
}

/// Returns whether an absolute URL is of this page's origin.
#[must_use]
pub fn is_same_origin(url: &str) -> bool {
    path_of(url).is_some()
}

/// Returns the page's URL.
#[must_use]
pub fn page_url() -> String {
    window().location().href().unwrap_or_default()
}

fn path_of(url: &str) -> Option<String> {
    let location = window().location();
    let href = Url::new_with_base(url, &location.href().ok()?).ok()?.href();
    url::same_origin_path(&href, &location.origin().ok()?).map(str::to_owned)
}

/// Returns the default of `returnTo`: the current path, or `home` if that is the callback page itself.
#[must_use]
pub fn default_return_to(redirect_uri: &str, home: &str) -> String {
    path_unless_same_page(&page_url(), redirect_uri, home)
}

/// Returns the path that a launch with this target leads to, or `home` if that is the launch page itself, which would
/// launch again.
#[must_use]
pub fn path_unless_same_page(target: &str, page: &str, home: &str) -> String {
    match (path_of(target), path_of(page)) {
        (Some(target), Some(page)) if without_query(&target) != without_query(&page) => target,
        _ => home.to_owned(),
    }
}

fn without_query(path: &str) -> &[u8] {
    path.as_bytes().split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

/// Returns a path that was stored, or `home` if it was tampered with.
#[must_use]
pub fn stored_return_to(path: &str, home: &str) -> String {
    path_of(path).unwrap_or_else(|| home.to_owned())
}

/// Returns whether the page is inside a frame.
#[must_use]
pub fn is_framed() -> bool {
    let window = window();
    // A page that cannot read `window.top` is framed.
    window.top().map_or(true, |top| top.is_some_and(|top| top != window))
}
