/**
 * Checks a deployed application from outside: what a browser would get, and what the proxies before the gateway do. It
 * signs no one in, and sends no secret.
 *
 * @packageDocumentation
 */

import { randomBytes } from "node:crypto";
import { policyFindings } from "./policy.js";
import { findWasm, type Page, type Script, scriptsOf } from "./scripts.js";

/** The finding of one check. */
export interface Finding {
  readonly id: string;
  readonly status: "ok" | "warning" | "problem";
  readonly summary: string;
  readonly remedy?: string;
}

/** The application to check. */
export interface DoctorOptions {
  readonly url: string;
  readonly clientId?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly gateway?: string | undefined;
  readonly issuer?: string | undefined;
}

const CLASSLINK = "https://launchpad.classlink.com";
const TIMEOUT_MS = 15_000;
const MAX_SKEW_SECS = 60;

/** As much as the cookies of an origin may take together, and what a browser sends besides. */
const COOKIE_BYTES = 7 * 1024;

export const ok = (id: string, summary: string): Finding => ({ id, status: "ok", summary });
export const warning = (id: string, summary: string, remedy: string): Finding => ({
  ...{ id, status: "warning", summary, remedy },
});
export const problem = (id: string, summary: string, remedy: string): Finding => ({
  ...{ id, status: "problem", summary, remedy },
});

/** A response with its body, or why there is none. */
type Answer =
  | { readonly response: Response; readonly text: string; readonly error?: undefined }
  | { readonly error: string; readonly response?: undefined };

async function ask(url: string | URL, init: RequestInit = {}): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { redirect: "manual", signal, ...init });
    return { response, text: await response.text() };
  } catch (cause) {
    const { message, cause: inner } = cause as Error & { cause?: { code?: string } };
    return { error: inner?.code ?? message };
  }
}

const typeOf = ({ headers }: Response): string => headers.get("content-type") ?? "no type";

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Checks everything, and returns what was found in the order of a sign-in. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const url = new URL(options.url);
  const redirectUri = new URL(options.redirectUri ?? "/callback", url);
  const issuer = options.issuer ?? CLASSLINK;
  const gateway =
    options.gateway === "none" ? undefined : new URL(options.gateway ?? "/auth", url).href;
  const { findings, page } = await checkPage(url);
  if (page) {
    const scripts = await scriptsOf(page, async (address) => {
      const { response, text } = { text: "", ...(await ask(address)) };
      return response?.ok ? text : undefined;
    });
    findings.push(
      ...policyFindings(page, gateway, url.origin),
      ...(await checkWasm(page, scripts)),
    );
  }
  findings.push(...(await checkCallback(redirectUri, url)));
  if (gateway) {
    const base = gateway.replace(/\/$/, "");
    findings.push(...(await checkGateway(base, url.origin, options)));
  }
  findings.push(...(await checkProvider(issuer)));
  return findings;
}

async function checkPage(url: URL): Promise<{ findings: Finding[]; page?: Page }> {
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const findings: Finding[] = [];
  if (url.protocol !== "https:" && !isLoopback) {
    findings.push(
      problem(
        "page",
        "The application is served over http.",
        "Serve it over https: without it, browsers have no Web Crypto.",
      ),
    );
  }
  const { response, text, error } = { text: "", error: "", ...(await ask(url)) };
  if (!response) {
    findings.push(problem("page", `The page cannot be reached: ${error}.`, "Check the URL."));
    return { findings };
  }
  if (response.status !== 200 || !typeOf(response).startsWith("text/html")) {
    const got = `HTTP ${response.status}, ${typeOf(response)}`;
    findings.push(
      problem(
        "page",
        `The page is not HTML: ${got}.`,
        "Give the URL of a page of the application.",
      ),
    );
    return { findings };
  }
  findings.push(ok("page", "The page loads."));
  return { findings, page: { url: url.href, html: text, headers: response.headers } };
}

async function checkWasm(page: Page, scripts: readonly Script[]): Promise<Finding[]> {
  const id = "webassembly";
  const found = findWasm(page, scripts);
  if (!found) {
    const isInline = scripts.some(({ text }) => text.includes("AGFzbQ"));
    return [
      isInline
        ? ok(id, "The WebAssembly is inside a script.")
        : warning(
            id,
            "No script of the page names the .wasm file.",
            "It may be in a script that is loaded later. Give the URL of a page that loads it.",
          ),
    ];
  }
  const { response, error } = { error: "", ...(await ask(found)) };
  const path = new URL(found).pathname;
  if (response?.status !== 200) {
    const got = response ? `HTTP ${response.status}` : error;
    return [
      problem(id, `${path} cannot be loaded: ${got}.`, "Deploy the .wasm file beside the scripts."),
    ];
  }
  if (!typeOf(response).startsWith("application/wasm")) {
    const isPage = typeOf(response).startsWith("text/html");
    return [
      isPage
        ? problem(
            id,
            `${path} is an HTML page: the server's fallback for unknown paths.`,
            "Deploy the .wasm file beside the scripts.",
          )
        : warning(
            id,
            `${path} is sent as ${typeOf(response)}.`,
            "Send it as application/wasm, so that it compiles while it loads.",
          ),
    ];
  }
  return [ok(id, "The .wasm file loads, with the right type.")];
}

async function checkCallback(redirectUri: URL, url: URL): Promise<Finding[]> {
  const id = "callback";
  if (redirectUri.origin !== url.origin) {
    return [
      problem(
        id,
        "The redirect URI has another origin than the application.",
        "Register one of the application's own origin.",
      ),
    ];
  }
  // As a callback comes, with values that mean nothing.
  const callback = new URL(redirectUri);
  callback.searchParams.set("code", "doctor");
  callback.searchParams.set("state", "doctor");
  const { response, error } = { error: "", ...(await ask(callback)) };
  const name = redirectUri.pathname;
  if (!response) return [problem(id, `${name} cannot be reached: ${error}.`, "Check the URL.")];
  const { status } = response;
  if (status >= 300 && status < 400) {
    return [
      problem(
        id,
        `${name} redirects (HTTP ${status}).`,
        "Serve the application at the redirect URI itself: a redirect loses the authorization response or writes its code into logs.",
      ),
    ];
  }
  if (status !== 200 || !typeOf(response).startsWith("text/html")) {
    return [
      problem(
        id,
        `${name} is not a page: HTTP ${status}, ${typeOf(response)}.`,
        "Serve the application's page for the redirect URI, or name it with --redirect-uri.",
      ),
    ];
  }
  return [ok(id, `${name} is a page of the application.`)];
}

async function checkGateway(
  base: string,
  origin: string,
  { clientId, gateway: isGiven }: DoctorOptions,
): Promise<Finding[]> {
  const health = { text: "", error: "", ...(await ask(`${base}/health`)) };
  if (!health.response || parseJson(health.text)?.status !== "ok") {
    const got = health.response
      ? `HTTP ${health.response.status}, ${typeOf(health.response)}`
      : health.error;
    const add = isGiven ? problem : warning;
    return [
      add(
        "gateway",
        `No gateway responds at ${base}/health: ${got}.`,
        "Forward its paths to the gateway, or name its base with --gateway.",
      ),
    ];
  }
  const findings = [ok("gateway", "The gateway responds."), ...clockFinding(health.response)];
  const ready = await ask(`${base}/ready`);
  if (ready.response && ready.response.status >= 500) {
    findings.push(
      problem(
        "gateway-ready",
        "The gateway is not ready.",
        "Read its log: it lacks keys, metadata or its store.",
      ),
    );
  }
  const supportCode = "DCTR0000";
  const headers = {
    "X-ClassLink-SPA": supportCode,
    Origin: origin,
    "Sec-Fetch-Site": "same-origin",
  };
  const keys = { text: "", ...(await ask(`${base}/jwks`, { headers })) };
  const refusal = keys.response?.headers.get("x-classlink-gateway-error");
  if (Array.isArray(parseJson(keys.text)?.keys)) {
    findings.push(ok("gateway-keys", "The gateway has the provider's keys."));
  } else findings.push(refusalFinding("gateway-keys", refusal ?? "no error code"));
  if (!clientId) {
    return [
      ...findings,
      warning(
        "gateway-session",
        "The session route was not checked.",
        "Pass --client-id to check it.",
      ),
    ];
  }
  return [...findings, ...(await checkSession(base, headers, clientId))];
}

/** Remedies for the gateway's own refusals. */
const REFUSALS: Record<string, string> = {
  missing_header: "Make the proxies forward the header X-ClassLink-SPA.",
  forbidden_origin:
    "Make the proxies forward Origin and Sec-Fetch-Site, and name the application's origin in allowedOrigins.",
  unknown_client: "Register this client id with the gateway (`clients`).",
  not_found: "Set the gateway's basePath to the path at which the proxies serve it.",
  upstream_unreachable: "Check DNS, firewall and outgoing proxy of the gateway's server.",
  upstream_timeout: "Check DNS, firewall and outgoing proxy of the gateway's server.",
  discovery_invalid:
    "Write the gateway's `issuer` exactly as the provider's discovery document does.",
  rate_limited: "Wait, or raise the gateway's limits.",
};

const refusalFinding = (id: string, code: string): Finding =>
  problem(id, `The gateway refused: ${code}.`, REFUSALS[code] ?? "Read the gateway's log.");

async function checkSession(
  base: string,
  headers: Record<string, string>,
  clientId: string,
): Promise<Finding[]> {
  const id = "gateway-session";
  const route = `${base}/session?client_id=${encodeURIComponent(clientId)}`;
  const post = (more: Record<string, string>) =>
    ask(route, { method: "POST", headers: { ...headers, ...more } });
  const { response, error } = { error: "", ...(await post({})) };
  if (response?.status !== 204) {
    const code = response?.headers.get("x-classlink-gateway-error");
    const got = response ? `HTTP ${response.status}` : error;
    return [
      code
        ? refusalFinding(id, code)
        : problem(
            id,
            `The session route does not return HTTP 204: ${got}.`,
            "Make the proxies forward POST and DELETE to the gateway unchanged.",
          ),
    ];
  }
  const findings = [ok(id, "The session route responds.")];

  const foreign = await post({ Origin: "https://other.example", "Sec-Fetch-Site": "cross-site" });
  findings.push(
    foreign.response?.status === 403
      ? ok("gateway-origin", "Other sites' requests are refused.")
      : problem(
          "gateway-origin",
          "Another site's request was accepted.",
          "Make the proxies forward Origin and Sec-Fetch-Site unchanged.",
        ),
  );

  // Cookies as large as a session's may be; the gateway does not know them.
  const cookie = ["a", "b"]
    .map((name) => `doctor-${name}=${"x".repeat(COOKIE_BYTES / 2)}`)
    .join("; ");
  const large = await post({ Cookie: cookie });
  findings.push(
    large.response?.status === 204
      ? ok("header-sizes", "Cookies of 7 KB reach the gateway.")
      : problem(
          "header-sizes",
          `Cookies of 7 KB are refused: ${large.response ? `HTTP ${large.response.status}` : large.error}.`,
          "Raise the proxies' limits for request headers to 16 KB (nginx: large_client_header_buffers).",
        ),
  );

  // Ends a session that does not exist, which sets a cookie.
  const sessionId = randomBytes(32).toString("base64url");
  const ended = await ask(`${route}&session_id=${sessionId}`, { method: "DELETE", headers });
  const cookies = ended.response?.headers.getSetCookie() ?? [];
  const wrong = cookies.filter(
    (value) =>
      !/^__Host-/.test(value) ||
      !/; *secure/i.test(value) ||
      !/; *path=\/(;|$)/i.test(value) ||
      /; *domain=/i.test(value),
  );
  findings.push(
    cookies.length === 0
      ? warning(
          "cookies",
          "The gateway's response has no cookie.",
          "Make the proxies forward every Set-Cookie header, each as a header of its own.",
        )
      : wrong.length > 0
        ? problem(
            "cookies",
            "A proxy changes the gateway's cookie.",
            "Forward Set-Cookie unchanged: do not rewrite path, domain or Secure.",
          )
        : ok("cookies", "The gateway's cookies arrive unchanged."),
  );
  return findings;
}

function clockFinding({ headers }: Response): Finding[] {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return [
      warning(
        "clock",
        "The gateway's responses have no Date header.",
        "Make the proxies forward it: devices with a wrong clock need it to sign in.",
      ),
    ];
  }
  const skew = Math.round((date - Date.now()) / 1000);
  return Math.abs(skew) <= MAX_SKEW_SECS
    ? [ok("clock", "The server's clock agrees with this machine's.")]
    : [
        problem(
          "clock",
          `The server's clock differs from this machine's by ${skew} s.`,
          "Set both by NTP: a server with a wrong clock refuses valid tokens.",
        ),
      ];
}

async function checkProvider(issuer: string): Promise<Finding[]> {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const { text, error } = { text: "", error: "not JSON", ...(await ask(address)) };
  const document = parseJson(text);
  if (!document) {
    const add = issuer === CLASSLINK ? warning : problem;
    return [
      add(
        "discovery",
        `The discovery document cannot be read: ${error}.`,
        "Check the issuer and this machine's network.",
      ),
    ];
  }
  if (document.issuer !== issuer) {
    return [
      problem(
        "discovery",
        "The discovery document names another issuer.",
        "Write `issuer` exactly as the document does.",
      ),
    ];
  }
  const keys = { text: "", ...(await ask(String(document.jwks_uri))) };
  return [
    ok("discovery", "The discovery document is the issuer's."),
    Array.isArray(parseJson(keys.text)?.keys)
      ? ok("keys", "The provider's keys can be read.")
      : problem("keys", "The provider's keys cannot be read.", "Report it to the provider."),
  ];
}
