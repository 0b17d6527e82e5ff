/** The paths of the stand-in: those of ClassLink, and some for what ClassLink does not have. */

/** Paths on the issuer's origin. */
export const PATHS = {
  authorization: "/oauth2/v2/auth",
  token: "/oauth2/v2/token",
  jwks: "/oauth2/v2/jwks",
  discovery: "/.well-known/openid-configuration",
  // ClassLink does not have these; the stand-in has them if an option says so.
  revocation: "/oauth2/v2/revoke",
  endSession: "/oauth2/v2/logout",
};

/** Paths on the second origin, ClassLink's `nodeapi.classlink.com`. */
export const API_PATHS = { userInfo: "/v2/my/profileinfo", myInfo: "/v2/my/info" };

/**
 * Returns whether a path is the authorization endpoint's: of a new request, or of one that continues after an interaction.
 *
 * @param {string} path
 */
export function isAuthorization(path) {
  return isAtOrBelow(PATHS.authorization, path);
}

/**
 * Returns whether a path is the end-session endpoint's: of a new request, of the confirmation, or of the last page.
 *
 * @param {string} path
 */
export function isEndSession(path) {
  return isAtOrBelow(PATHS.endSession, path);
}

/** @param {string} root @param {string} path */
function isAtOrBelow(root, path) {
  return path === root || path.startsWith(`${root}/`);
}
