/**
 * How a flow must end when one of its requests fails: by what the request is for, and by how it fails. The names are those
 * of docs/errors.md; `ok` stands for a failure that does no harm.
 *
 * @module
 */

import { engine } from "../support/engine.mjs";

/** @import { Flow } from "./flows.mjs" */

/** The responses that the browser's cache may keep, and that the client's second request bypasses. */
const CACHED = ["the WebAssembly", "discovery", "the keys"];

/**
 * The requests that are made again, once, if the response is useless, and how a call ends if the second is so, too.
 *
 * @type {Record<string, Record<string, string>>}
 */
const REPEATED = {
  discovery: {
    gone: "network",
    slow: "timeout",
    huge: "provider_response_invalid",
    else: "discovery_invalid",
  },
  "the keys": { else: "keys_unavailable" },
};

/** The ends that are alike for every endpoint. */
const ALIKE = {
  refused: "gone",
  lost: "gone",
  reset: "gone",
  redirect: "gone",
  hung: "slow",
  drip: "slow",
  truncated: "garbage",
  html: "garbage",
  kept: "garbage",
  types: "garbage",
  huge: "huge",
  error: "error",
};

/** Every kind. */
export const KINDS = Object.keys(ALIKE);

/** A preflight has no body. */
const HEADERS_ALONE = ["refused", "hung", "redirect", "error"];

/**
 * The requests, by what they are for, in the order of their patterns: how a call ends that needs the answer. Whatever
 * isn't named is `else`.
 */
const ROLES = [
  [
    "a page in a frame or a popup",
    /^(app|provider) GET \/(oauth2\/v2\/auth$|callback|pkg\/.* at \/callback$)/,
    {},
  ],
  ["the WebAssembly", /^app GET \/pkg\/\S+\.wasm$/, { else: "wasm_unavailable" }],
  // Ten MiB of spaces do a script no harm.
  ["the diagnosis's script", /diagnosis\.js$/, { huge: "ok", else: "network" }],
  [
    "the device's time",
    /^app HEAD /,
    // Each response has the time.
    { gone: "id_token_invalid", slow: "id_token_invalid", drip: "ok", reset: "ok", else: "ok" },
  ],
  [
    "discovery",
    /^provider GET \/\.well-known/,
    { gone: "network", slow: "timeout", huge: "provider_response_invalid", else: "ok" },
  ],
  ["the keys", /^(provider GET \S+|app GET \/auth)\/jwks$/, { else: "ok" }],
  [
    "the tokens",
    /^provider POST \S+\/token$/,
    { gone: "network", slow: "timeout", else: "provider_response_invalid" },
  ],
  ["the leave to ask", /^provider OPTIONS /, { slow: "timeout", else: "network" }],
  [
    "my-info",
    /^(provider GET \/v2\/my\/info|app GET \/auth\/my-info)$/,
    // A member of the wrong type counts as missing, and none is demanded.
    {
      types: "ok",
      gone: "network",
      slow: "timeout",
      error: "userinfo_rejected",
      else: "provider_response_invalid",
    },
  ],
  [
    "UserInfo",
    /^provider GET \/v2\/my\//,
    {
      // `sub` is not a string, and so not the user's.
      types: "user_mismatch",
      gone: "network",
      slow: "timeout",
      error: "userinfo_rejected",
      else: "provider_response_invalid",
    },
  ],
  ["the revocation", /\/revoke$/, { else: "ok" }],
  ["the gateway's health", /^app GET \/auth\/health$/, { else: "ok" }],
  [
    "the gateway's tokens and session",
    /^app (POST|DELETE) \/auth\//,
    {
      gone: "network",
      slow: "timeout",
      huge: "provider_response_invalid",
      else: "gateway_error",
    },
  ],
  [
    "the keys that the gateway asks for",
    /^gateway: \S+ GET \S+\/jwks$/,
    {
      redirect: "keys_unavailable",
      gone: "gateway_error",
      slow: "gateway_error",
      else: "keys_unavailable",
    },
  ],
  [
    "the my-info that the gateway asks for",
    /^gateway: \S+ GET \/v2\/my\/info$/,
    { types: "ok", else: "gateway_error" },
  ],
  ["what the gateway asks the provider", /^gateway: /, { else: "gateway_error" }],
];

/** How a flow ends whose frame or popup stays silent. What else a page does about a fault is the browser's doing. */
const SILENCE = {
  // A session that is not found does not exist.
  restore: ["ok"],
  renewal: ["renewal_unavailable < timeout"],
  // A user closes it.
  "sign-in": ["popup_closed"],
};

/** Requests of pages that the client only shows: it is told nothing of their failure. @param {string} key */
export const isSilent = (key) => key !== "" && roleOf(key)[0] === "a page in a frame or a popup";

/** @param {string} key */
function roleOf(key) {
  const role = ROLES.find(([, pattern]) => /** @type {RegExp} */ (pattern).test(key));
  if (!role) throw new Error(`${key}: nothing says what this request is for`);
  return /** @type {[string, RegExp, Record<string, string>]} */ (role);
}

/** Whether a request is made again by itself if it fails, so that it must fail twice. @param {string} key */
export const isRepeated = (key) => roleOf(key)[0] in REPEATED;

/** The kinds of faults that a request can meet. @param {string} key */
export function kindsOf(key) {
  if (key.includes("OPTIONS")) return HEADERS_ALONE;
  const never = [
    ...(CACHED.includes(roleOf(key)[0]) ? [] : ["kept"]),
    // There is nothing to cut off.
    ...(key.includes("DELETE") ? ["truncated"] : []),
  ];
  return KINDS.filter((kind) => !never.includes(kind));
}

/**
 * How a flow may end.
 *
 * @param {Flow} flow
 * @param {{ key: string, count: number, kind: string, lasting?: boolean }} fault
 * @returns {readonly string[]}
 */
export function expected(flow, fault) {
  const ways = expectedAnywhere(flow, fault);
  return [...ways, ...(OWN_WAYS[engine]?.(flow, fault, ways) ?? [])];
}

/**
 * How else it may end in an engine.
 *
 * @type {Record<string, (flow: Flow, fault: Parameters<typeof expected>[1], ways: readonly string[]) => readonly string[]>}
 */
const OWN_WAYS = {
  /** It has no HTTP cache, from which browsers take the keys: the gateway still remembers that it failed to fetch them. */
  node: ({ name }, { key }) =>
    name.startsWith("restore") && /^gateway: .*jwks$/.test(key)
      ? ["gateway_error", "keys_unavailable"]
      : [],
  /** It asks again by itself if a connection ends without an answer. */
  firefox: (_, { key, kind }) =>
    ["refused", "lost"].includes(kind) && !/^gateway| (POST|DELETE) /.test(key) ? ["ok"] : [],
  /** It takes what has come of an answer for the whole, and an answer that is timed out for aborted. */
  webkit: (flow, fault, ways) => [
    ...(fault.kind === "reset" ? expectedAnywhere(flow, { ...fault, kind: "truncated" }) : []),
    ...(ways.includes("TimeoutError") ? ["AbortError"] : []),
  ],
};

/** @type {typeof expected} */
function expectedAnywhere(flow, { key, count, kind, lasting }) {
  const [role, , once] = roleOf(key);
  const ways = lasting ? REPEATED[role] : once;
  if (isSilent(key)) return [...SILENCE[flow.name.split(" ")[0]], "ok"];
  const way = ways[kind] ?? ways[ALIKE[kind]] ?? ways.else;
  const callsApi = flow.name.startsWith("an API call");
  // A renewal that fails leaves the API's own 401, unless the caller has waited long enough.
  if (callsApi && /jwks$|POST/.test(key)) return ["ok", "TimeoutError"];
  // Who is there needs none, and the page asks for them a second time.
  if (flow.name.startsWith("restore") && /^gateway: .*jwks$/.test(key)) return ["ok"];
  if (flow.name.startsWith("diagnosis")) return [key.endsWith("diagnosis.js") ? way : "ok"];
  // Here it is done at once, and `sessionEnded` says the rest.
  if (flow.name.startsWith("logout")) return ["ok"];
  // The API's first answer is a 401, of which the headers alone may have come: then it is asked again.
  if (callsApi && count === 1 && kind === "reset") return ["ok", ofApiCall(key, kind)];
  if (callsApi) return [ofApiCall(key, kind)];
  if (flow.name.startsWith("renewal") && way !== "ok") return [`renewal_unavailable < ${way}`];
  return [way];
}

/** `client.fetch` answers and fails as the platform's does. */
function ofApiCall(/** @type {string} */ key, /** @type {string} */ kind) {
  const preflight = key.includes("OPTIONS");
  if (kind === "redirect" && !preflight) return "origin_not_allowed";
  if (ALIKE[kind] === "slow") return "TimeoutError";
  return preflight || ALIKE[kind] === "gone" ? "TypeError" : "ok";
}

/** How many accesses to storage at a sign-in's end may fail: the marks of a restore, a sign-out and a login are removed. */
const MARKS = 6;

/**
 * How a flow may end when an access to the storage is refused: a login that leaves can't do without, all else can.
 *
 * @param {Flow} flow
 * @param {readonly string[]} accesses Of the flow.
 * @param {{ at: number, lasting: boolean }} refused Which of them, from 1; `lasting`: and all after it.
 * @returns {readonly string[]}
 */
export function expectedOfStorage({ name, leaves }, accesses, { at, lasting }) {
  if (leaves || !/^(sign-in|launch)/.test(name)) return ["ok"];
  const isStorage = (/** @type {string} */ access) => access.includes("Storage");
  const needed = accesses
    .map((access, index) => (isStorage(access) ? index + 1 : 0))
    .filter((index) => index > 0)
    .slice(0, -MARKS);
  const fails = needed.some((index) => (lasting ? index >= at : index === at));
  return [fails ? "storage_unavailable" : "ok"];
}
