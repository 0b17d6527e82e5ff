/**
 * Calls the platform's `fetch` with the access token. The WebAssembly decides whether the token may go to an origin.
 *
 * @packageDocumentation
 */

import { abortable } from "../abort.js";
import { ClassLinkError, isClassLinkError } from "../errors.js";

/** Returns the token for an origin; `refused` is one that the origin rejected with a 401. */
export type AccessTokenProvider = (origin: string, refused?: string) => Promise<string>;

/** Returns whether a body can be sent a second time: a stream cannot. */
function canRepeat(request: Request, init: RequestInit | undefined): boolean {
  const given = init?.body;
  if (given != null) return !(given instanceof ReadableStream);
  // The body of a `Request` that the caller made can be read once. Not every browser has `Request.body`.
  return request.body === null || /^(GET|HEAD)$/.test(request.method);
}

/** Calls `fetch` with the access token; after a 401 once more, with a renewed one. */
export async function fetchWithToken(
  getToken: AccessTokenProvider,
  /** Returns the id of the user who is shown. */
  currentUser: () => string | undefined,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  const request = new Request(input, init);
  // Before any wait: later changes of `input` and `init` must not reach the second request.
  const retry = canRepeat(request, init) ? request.clone() : undefined;
  // A `blob:` URL has the origin of the page that made it, and no server.
  const { origin, protocol } = new URL(request.url);
  const targetOrigin = origin.startsWith(protocol) ? origin : "null";

  const send = (outgoing: Request, token: string): Promise<Response> => {
    const headers = new Headers(outgoing.headers);
    headers.set("Authorization", `Bearer ${token}`);
    // Some browsers send the header on to wherever a redirect leads: none is followed.
    // Passed again: the signal of a copy stops following the first one's when Node collects that.
    const { signal } = request;
    return fetch(new Request(outgoing, { headers, redirect: "manual", signal }));
  };

  const first = getToken(targetOrigin).catch((error) => {
    if (!isClassLinkError(error) || error.code !== "origin_not_allowed") throw error;
    const message = `client.fetch sends no access token to ${targetOrigin}: add it to \`apiOrigins\` if it may have the token, or call the platform's fetch.`;
    throw new ClassLinkError({ ...error, message });
  });
  const token = await abortable(first, request.signal);
  const user = currentUser();
  let response = await send(request, token);
  if (response.status === 401 && retry) {
    const renewed = getToken(targetOrigin, token).catch(() => undefined);
    const fresh = await abortable(renewed, request.signal);
    // One user's request must not be sent again with another user's token.
    if (fresh !== undefined && currentUser() === user) {
      void response.body?.cancel().catch(() => {});
      response = await send(retry, fresh);
    }
  }
  if (response.type === "opaqueredirect" && request.redirect !== "manual") {
    if (request.redirect === "error") throw new TypeError("Failed to fetch");
    throw new ClassLinkError({
      code: "origin_not_allowed",
      message:
        "The API answered with a redirect, which is not followed: the access token could go with it. Call the final URL.",
    });
  }
  return response;
}
