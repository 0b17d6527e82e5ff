//! The page's address.

use web_sys::Url;

use super::window;
use crate::error::{Error, ErrorCode};

/// Where an application goes when nothing says where.
const HOME: &str = "/";

/// A URL of this origin as a path with query and fragment. What a router would take for another origin is refused:
/// `//evil`, `/\evil`, `javascript:`.
///
/// # Errors
/// `config_invalid`.
pub fn same_origin_path(url: &str) -> Result<String, Error> {
    path_on(url, &window().location().href().unwrap_or_default()).ok_or_else(|| {
        let message =
            "`returnTo` must be a URL of the page's own origin, such as \"/classes?page=2\"";
        Error::new(ErrorCode::ConfigInvalid, message)
    })
}

fn path_on(url: &str, base: &str) -> Option<String> {
    let base = Url::new(base).ok()?;
    let url = Url::new_with_base(url, &base.href()).ok()?;
    let same_origin = url.origin() == base.origin() && url.protocol() == base.protocol();
    let path = [url.pathname(), url.search(), url.hash()].concat();
    (same_origin && path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

/// What `returnTo` is when nobody says: the current path, or home where that is the callback page itself.
#[must_use]
pub fn default_return_to(redirect_uri: &str) -> String {
    let href = window().location().href().unwrap_or_default();
    let is_callback = match (Url::new(&href), Url::new(redirect_uri)) {
        (Ok(here), Ok(callback)) => here.pathname() == callback.pathname(),
        _ => false,
    };
    path_on(&href, &href).filter(|_| !is_callback).unwrap_or_else(|| HOME.to_owned())
}

/// A path that comes back from storage, or home where it has been tampered with.
#[must_use]
pub fn stored_return_to(path: &str) -> String {
    same_origin_path(path).unwrap_or_else(|_| HOME.to_owned())
}

/// Whether the page is inside a frame.
#[must_use]
pub fn is_framed() -> bool {
    let window = window();
    // A page that may not even look at its parent is framed.
    window.top().map_or(true, |top| top.is_some_and(|top| top != window))
}
