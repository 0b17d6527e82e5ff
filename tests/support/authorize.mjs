/** A user who signs in on the stand-in's pages, request by request: no browser, and no SDK. */

import { callbackOf, codeOf, HttpUserAgent } from "./stand-in.mjs";

/**
 * Signs a user in at a stand-in whose `consent` is `"never"`.
 *
 * @param {import("../../www/stand-in/types.d.ts").StandIn} standIn
 * @param {object} request
 * @param {string} request.clientId
 * @param {string} request.redirectUri
 * @param {{ nonce: string, challenge: string }} [request.login] Without it, a request as a LaunchPad tile makes it.
 * @param {string} [request.state] A state without a login, as other clients send it.
 * @param {string} [request.sub] Who: a student, unless another is named.
 * @returns {Promise<string>} The code that the last hop carries.
 */
export async function authorize(standIn, { clientId, redirectUri, login, sub = "8708718", state }) {
  const url = new URL(standIn.endpoints.authorization_endpoint);
  url.search = String(
    new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: "code",
      scope: "openid profile email",
      ...(state && { state }),
      ...(login && {
        state: "the-state",
        nonce: login.nonce,
        code_challenge: login.challenge,
        code_challenge_method: "S256",
      }),
    }),
  );
  const browser = new HttpUserAgent();
  const page = await browser.open(url.href);
  const { text } = await browser.post(page.url, { account: sub });
  return codeOf(callbackOf(text));
}
