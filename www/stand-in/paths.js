/** Where everything lives: as at ClassLink, but for what ClassLink does not have. */

/** Paths on the issuer's origin. */
export const PATHS = {
  authorization: "/oauth2/v2/auth",
  token: "/oauth2/v2/token",
  jwks: "/oauth2/v2/jwks",
  discovery: "/.well-known/openid-configuration",
  // Not at ClassLink, and here only if a switch is on.
  revocation: "/oauth2/v2/revoke",
  endSession: "/oauth2/v2/logout",
};

/** Paths on the second origin: what ClassLink serves from `nodeapi.classlink.com`. */
export const API_PATHS = { userInfo: "/v2/my/profileinfo", myInfo: "/v2/my/info" };

/**
 * Whether a request is the authorization endpoint's: a new one, or one that goes on after a user was asked.
 *
 * @param {string} path
 */
export function isAuthorization(path) {
  return isAtOrBelow(PATHS.authorization, path);
}

/**
 * Whether a request is the end-session endpoint's: a new one, the answer to its question, or its last page.
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
