/**
 * Adapts both entries of classlink-spa.
 *
 * @module
 */

import { REQUEST_TIMEOUT_SECS } from "../adapter.js";

/** @import { CreateAdapter } from "../adapter.js" */

/** The seconds for which a renewed access token must be valid: more than the first one's lifetime. */
const MIN_VALIDITY = 600;

/** The members of a discovery document that an application gives. */
const METADATA = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "authorization_response_iss_parameter_supported",
];

/**
 * Returns the adapter of one entry.
 *
 * @param {typeof import("classlink-spa").createClient} createClient
 * @returns {CreateAdapter}
 */
export const adapt =
  (createClient) =>
  ({ issuer, clientId, redirectUri, metadata, navigate }) => {
    const client = createClient({
      issuer,
      clientId,
      redirectUri,
      ...(metadata && {
        metadata: Object.fromEntries(METADATA.map((name) => [name, metadata[name]])),
      }),
      navigate,
      timeout: REQUEST_TIMEOUT_SECS * 1000,
    });
    return {
      login: () => client.startLogin(),
      async callback() {
        await client.handleCallback();
        return (await client.getUser())?.sub;
      },
      renew: () => client.getAccessToken({ minValidity: MIN_VALIDITY }),
      logout: () => client.logout(),
    };
  };
