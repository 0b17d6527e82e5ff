/**
 * The platform's `fetch` with the access token. Whether the token may go to an origin is decided in the WebAssembly.
 *
 * @packageDocumentation
 */

import { ClassLinkError } from "../errors.js";

/** Gives the token for an origin; `refused` is one that it has answered with a 401. */
export type AccessTokenProvider = (origin: string, refused?: string) => Promise<string>;

/** Whether a body can be sent a second time. What streams is sent once. */
function canRepeat(request: Request, init: RequestInit | undefined): boolean {
  const given = init?.body;
  if (given != null) return !(given instanceof ReadableStream);
  // A `Request` that was handed in has its body only once. Not every browser shows it.
  return request.body === null || /^(GET|HEAD)$/.test(request.method);
}

/** What is waited for, unless the caller's signal ends the waiting: as with `fetch`, its reason is then the error. */
const abortable = <T>({ signal }: Request, waited: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    waited.then(resolve, reject);
  });

/** `fetch` with the access token. */
export async function fetchWithToken(
  source: AccessTokenProvider,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  const request = new Request(input, init);
  // A `blob:` URL has the origin of the page that made it, and no server.
  const { origin, protocol } = new URL(request.url);
  const targetOrigin = origin.startsWith(protocol) ? origin : "null";
  const repeatable = canRepeat(request, init);

  const send = (outgoing: Request, token: string): Promise<Response> => {
    const headers = new Headers(outgoing.headers);
    headers.set("Authorization", `Bearer ${token}`);
    // Some browsers send the header on to wherever a redirect leads: none is followed.
    return fetch(new Request(outgoing, { headers, redirect: "manual" }));
  };

  const token = await abortable(request, source(targetOrigin));
  let response = await send(request, token);
  if (response.status === 401 && repeatable) {
    const renewed = source(targetOrigin, token).catch(() => undefined);
    const fresh = await abortable(request, renewed);
    if (fresh !== undefined) {
      void response.body?.cancel().catch(() => {});
      response = await send(new Request(input, init), fresh);
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
