/** The Content-Security-Policy of the built app: its own files, WebAssembly, and the sign-in's endpoints. */

import type { Plugin } from "vite";

/**
 * Writes the policy into the page as a `<meta>` element.
 *
 * Only for `vite build` (and so `vite preview`): in development React's refresh runtime is an inline script,
 * and Vite adds styles inline. A server that can send headers should send the same policy as one, with
 * `frame-ancestors 'none'` added, which a `<meta>` element can't carry (CSP Level 3, 3.3).
 */
export function contentSecurityPolicy(): Plugin {
  let env: Record<string, unknown> = {};
  return {
    name: "content-security-policy",
    apply: "build",
    configResolved(config) {
      env = config.env;
    },
    transformIndexHtml() {
      return [
        {
          tag: "meta",
          attrs: { "http-equiv": "Content-Security-Policy", content: policy(env) },
          // First in <head>: a policy doesn't cover what stands before it.
          injectTo: "head-prepend",
        },
      ];
    },
  };
}

function policy(env: Record<string, unknown>): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${["'self'", ...endpointOrigins(env)].join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** The issuer's, every known endpoint's, the gateway's and the app's API's origin, each once. */
function endpointOrigins(env: Record<string, unknown>): string[] {
  const metadata = typeof env.VITE_METADATA === "string" ? parseObject(env.VITE_METADATA) : {};
  const urls = [env.VITE_ISSUER, env.VITE_GATEWAY, env.VITE_API, ...Object.values(metadata)];
  const origins = urls
    .filter((url) => typeof url === "string")
    .filter((url) => URL.canParse(url))
    .map((url) => new URL(url).origin);
  return [...new Set(origins)];
}

/** Unreadable metadata adds no origin here; the page itself says what is wrong with it. */
function parseObject(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}
