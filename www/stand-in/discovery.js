/** Builds the stand-in's endpoints and its discovery document. */

import { CLAIMS_SUPPORTED, SCOPES } from "./claims.js";
import { API_PATHS, PATHS } from "./paths.js";

/** @import { Settings } from "./options.js" */
/** @import { Endpoints } from "./types.d.ts" */

/**
 * Returns the endpoints' URLs.
 *
 * @param {string} issuer
 * @param {string} apiOrigin
 * @param {Settings} settings
 * @returns {Endpoints}
 */
export function endpointsOf(issuer, apiOrigin, { revocation, endSession }) {
  return {
    authorization_endpoint: issuer + PATHS.authorization,
    token_endpoint: issuer + PATHS.token,
    jwks_uri: issuer + PATHS.jwks,
    userinfo_endpoint: apiOrigin + API_PATHS.userInfo,
    my_info_endpoint: apiOrigin + API_PATHS.myInfo,
    ...(revocation && { revocation_endpoint: issuer + PATHS.revocation }),
    ...(endSession && { end_session_endpoint: issuer + PATHS.endSession }),
  };
}

/**
 * Returns the discovery document. As ClassLink's, it has no PKCE methods, and without their options no end-session and no
 * revocation endpoint, and no `iss` parameter.
 *
 * @param {string} issuer
 * @param {Endpoints} endpoints
 * @param {Settings} settings
 */
export function discovery(
  issuer,
  { my_info_endpoint: _, ...endpoints },
  { refreshTokens, issParameter },
) {
  return {
    issuer,
    ...endpoints,
    scopes_supported: refreshTokens ? [...SCOPES, "offline_access"] : SCOPES,
    response_types_supported: ["code"],
    ...(refreshTokens && { grant_types_supported: ["authorization_code", "refresh_token"] }),
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
    claims_supported: CLAIMS_SUPPORTED,
    ...(issParameter && { authorization_response_iss_parameter_supported: true }),
  };
}
