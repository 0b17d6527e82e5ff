/**
 * Compares the outcome of a scenario with what it must be.
 *
 * @module
 */

/** @import { Misbehaving } from "./provider.mjs" */

/**
 * The outcome that is expected. Without `code` and `answers` the user must be signed in.
 *
 * @typedef {object} Expectation
 * @property {true} [signedIn]
 * @property {string} [code]
 * @property {string} [reason]
 * @property {boolean} [retryable]
 * @property {number} [status]
 * @property {number} [clockOffset] To ten seconds.
 * @property {RegExp} [message]
 * @property {Record<string, any>} [user] Members that the user must have; `undefined`: must not have.
 * @property {string} [returnTo]
 * @property {unknown} [answers] What `play` must return.
 * @property {Record<string, number>} [requested] How many requests each endpoint gets.
 * @property {string[]} [notRequested] Endpoints that get none.
 * @property {Record<string, Record<string, string | RegExp | undefined>>} [sent] Parameters of an endpoint's last
 * request; `undefined`: must not be there.
 * @property {Record<string, Record<string, string | RegExp | undefined>>} [headers] Of an endpoint's last request.
 * @property {number} [leftInStorage] Pending logins that remain. Default 0.
 * @property {string[]} [leftBeside] What other entries that remain begin with. Default none.
 * @property {boolean} [unhandled] The answer is still in the address bar: it was not handled.
 * @property {unknown} [appState] That comes back.
 */

/**
 * The outcome of a scenario.
 *
 * @typedef {object} Seen
 * @property {"signed-in" | "refused" | "other" | "hung" | "broken"} kind `broken`: the scenario itself is.
 * @property {string} text
 * @property {boolean} right Whether the outcome is the expected one.
 * @property {string[]} problems Everything that is wrong, the outcome included.
 */

/** Where the SDK keeps its pending logins. */
const LOGIN_PREFIX = "classlink-spa.login.";

/** Stands for every error's code. */
const ANY = "any";

/** An answer of the page in a few words. @param {any} answer */
export function describe(answer) {
  if (answer?.error) {
    const { code, reason, message, name } = answer.error;
    return code ? `\`${code}\`${reason ? ` (\`${reason}\`)` : ""}` : `${name}: ${message}`;
  }
  if (answer?.status) return answer.status;
  return JSON.stringify(answer)?.slice(0, 200) ?? "nothing";
}

/** @param {any} answer @param {Expectation} expect @returns {Seen} */
export function judgeOutcome(answer, expect) {
  const signedIn = answer?.status === "signed-in";
  const kind = signedIn ? "signed-in" : answer?.error ? "refused" : "other";
  const problems = [];
  const wrong = (what, seen, wanted) =>
    problems.push(`${what} is ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
  if ("answers" in expect) {
    if (JSON.stringify(answer) !== JSON.stringify(expect.answers)) {
      wrong("the answer", answer, expect.answers);
    }
  } else if (expect.code) {
    if (!answer?.error) problems.push(`not refused: ${describe(answer)}`);
    for (const name of ["code", "reason", "retryable", "status"]) {
      const seen = answer?.error?.[name];
      const must = name in expect || (name === "reason" && seen !== undefined);
      if (answer?.error && expect.code !== ANY && must && seen !== expect[name])
        wrong(name, seen, expect[name]);
    }
    const message = answer?.error?.message ?? "";
    if (expect.message && !expect.message.test(message)) {
      wrong("the message", message, String(expect.message));
    }
    const offset = answer?.error?.clockOffset;
    if (expect.clockOffset !== undefined && !(Math.abs(offset - expect.clockOffset) < 10)) {
      wrong("clockOffset", offset, expect.clockOffset);
    }
  } else {
    if (!signedIn) problems.push(`not signed in: ${describe(answer)}`);
    for (const [name, value] of Object.entries(expect.user ?? {})) {
      const seen = answer?.user?.[name];
      if (signedIn && JSON.stringify(seen) !== JSON.stringify(value)) wrong(name, seen, value);
    }
    for (const name of ["returnTo", "appState"]) {
      const same = JSON.stringify(answer?.[name]) === JSON.stringify(expect[name]);
      if (signedIn && name in expect && !same) wrong(name, answer[name], expect[name]);
    }
  }
  return { kind, text: describe(answer), right: problems.length === 0, problems };
}

/** Returns what is expected of every library, whatever it calls its errors. @param {Expectation} expect @returns {Expectation} */
export function forPeers({ code, answers, ...expect }) {
  if (answers !== undefined) return { answers };
  if (code) return { code: ANY };
  return { user: expect.user?.sub && { sub: expect.user.sub } };
}

/**
 * Finds requests that no library may send.
 *
 * @param {Pick<Expectation, "notRequested">} expect
 * @param {any} provider
 */
export function sentWrongly({ notRequested = [] }, { requests }) {
  const elsewhere =
    notRequested.includes("other") && requests.some((one) => one.endpoint === "other");
  const codes = requests
    .filter((one) => one.endpoint === "token")
    .map((one) => one.parameters.code)
    .filter((code) => code !== undefined);
  return [
    ...(elsewhere ? ["a request went elsewhere"] : []),
    ...(new Set(codes).size < codes.length ? ["a code was sent twice"] : []),
  ];
}

/** Finds what is wrong with the requests that the provider got. @param {Expectation} expect @param {any} provider */
export function judgeRequests(
  { requested = {}, notRequested = [], sent = {}, headers = {} },
  provider,
) {
  const problems = [];
  const count = (endpoint) => provider.requests.filter((one) => one.endpoint === endpoint).length;
  for (const endpoint of notRequested) {
    if (count(endpoint) > 0) problems.push(`${endpoint} was requested`);
  }
  for (const [endpoint, wanted] of Object.entries(requested)) {
    if (count(endpoint) !== wanted) {
      problems.push(`${endpoint} was requested ${count(endpoint)} times, not ${wanted}`);
    }
  }
  for (const [wantedBy, kind] of /** @type {const} */ ([
    [sent, "parameters"],
    [headers, "headers"],
  ])) {
    for (const [endpoint, wanted] of Object.entries(wantedBy)) {
      const last = provider.requests.findLast((one) => one.endpoint === endpoint)?.[kind] ?? {};
      for (const [name, value] of Object.entries(wanted)) {
        const seen = last[name];
        const fits = value instanceof RegExp ? value.test(seen ?? "") : value === seen;
        if (!fits) problems.push(`${endpoint} was sent ${name} = ${seen}, not ${value}`);
      }
    }
  }
  problems.push(...sentWrongly({}, provider));
  return problems;
}

/**
 * Finds what is wrong with the page and its storage, whatever the outcome.
 *
 * @param {any} stage
 * @param {any} answer
 * @param {Expectation} expect
 * @param {any} tab
 */
export async function judgePage(
  { page, ask, provider, timeout },
  answer,
  { leftInStorage = 0, leftBeside = [], unhandled = false },
  tab,
) {
  const problems = [];
  const state = await ask(`({
    search: location.search,
    session: (() => { try { return Object.keys({ ...sessionStorage }); } catch { return []; } })(),
    local: (() => { try { return Object.keys({ ...localStorage }); } catch { return []; } })(),
    snapshot: rp.client.getSnapshot(),
    events: rp.events,
    timeouts,
  })`);
  if (state.error) return [`the page can't be asked: ${describe(state)}`];
  const logins = state.session.filter((key) => key.startsWith(LOGIN_PREFIX)).length;
  if (logins !== leftInStorage)
    problems.push(`${logins} pending logins left, not ${leftInStorage}`);
  const others = [...state.session, ...state.local].filter(
    (key) => !key.startsWith(LOGIN_PREFIX) && !leftBeside.some((prefix) => key.startsWith(prefix)),
  );
  if (others.length > 0) problems.push(`left in storage: ${others.join(", ")}`);
  if (!unhandled && /[?&](code|state|error|iss)=/.test(state.search)) {
    problems.push(`left in the address bar: ${state.search}`);
  }
  const otherTimeouts = state.timeouts.filter((ms) => ms !== timeout);
  if (otherTimeouts.length > 0) problems.push(`may take ${otherTimeouts} ms, not ${timeout}`);
  if (answer?.error?.code === "timeout" && state.timeouts.length === 0) {
    problems.push("a time-out, but not the configured one");
  }
  const { status, user, error } = state.snapshot;
  if (
    answer?.status === "signed-in" &&
    (status !== "signed-in" || (answer.user && user?.sub !== answer.user.sub))
  ) {
    problems.push(`signed in, but the snapshot's status is ${status}`);
  }
  if (answer?.error && user !== null) problems.push("refused, but the snapshot has a user");
  if ((status === "signed-in") !== (user !== null) || (status === "error") !== (error !== null)) {
    problems.push(`the snapshot contradicts itself: ${status}`);
  }
  const told = [JSON.stringify(state.events), answer?.error?.all, ...tab.console].join(" ");
  for (const secret of provider.secrets) {
    if (told.includes(secret)) problems.push(`told: ${secret.slice(0, 20)}`);
  }
  if (page.isClosed()) problems.push("the page is gone");
  return problems;
}
