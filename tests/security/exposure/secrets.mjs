/** The secrets of a sign-in, recorded where they go over the wire. */

import { PATHS } from "../../support/login.mjs";

/** @import { BrowserContext } from "playwright-core" */

/** @typedef {"access" | "refresh" | "id" | "code" | "verifier" | "nonce"} Secret */

/**
 * Reports every secret that the pages of a context send or get, as often as they do.
 *
 * @param {BrowserContext} context
 * @param {(what: Secret, value: string) => void} learn
 */
export async function recordSecrets(context, learn) {
  const tell = (/** @type {Secret} */ what, /** @type {string | null | undefined} */ value) => {
    if (value) learn(what, value);
  };
  context.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === PATHS.authorization) tell("nonce", searchParams.get("nonce"));
    if (pathname.endsWith("/token")) {
      const form = new URLSearchParams(request.postData() ?? "");
      tell("code", form.get("code"));
      tell("verifier", form.get("code_verifier"));
    }
  });
  await context.route(/\/(token|session)(\?|$)/, async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    if (body.includes("access_token")) {
      const tokens = JSON.parse(body);
      tell("access", tokens.access_token);
      tell("refresh", tokens.refresh_token);
      // Its signature is like no other's; its header and most of its claims are the same in every token of a user.
      tell("id", tokens.id_token.split(".")[2]);
    }
    await route.fulfill({ response, body });
  });
}
