/**
 * The results as Markdown and as a plot.
 *
 * @module
 */

import { LIBRARIES, REFERENCE, versionOf } from "./libraries.js";
import { CALLERS, TABS } from "./renewals.js";
import { median, quartiles } from "./statistics.js";

/** @import { Library } from "./libraries.js" */
/** @import { WasmMemory } from "./memory.js" */
/** @import { Renewals } from "./renewals.js" */
/** @import { SignInConditions, SignInTimes } from "./sign-in.js" */
/** @import { Size } from "./size.js" */
/** @import { Quartiles } from "./statistics.js" */
/** @import { ValidationRates } from "./validations.js" */

/**
 * Sign-ins under the same conditions: by round, by the library's ID. A library that failed in a round is missing there.
 *
 * @typedef {{ conditions: SignInConditions, rounds: Record<string, SignInTimes>[] }} SignInSeries
 */

/**
 * Holds the measurements of every part; a part that has not run is missing.
 *
 * @typedef {object} Results
 * @property {Record<string, Size>} [size]
 * @property {{ browser: string, series: SignInSeries[] }} [sign-in]
 * @property {Record<string, Renewals>} [renewals]
 * @property {ValidationRates} [validations]
 * @property {{ cycles: number, heap: Record<string, number>, wasm: WasmMemory }} [memory]
 */

/** @typedef {"startMs" | "callbackMs"} Measure */

const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** @param {string[]} cells */
const row = (...cells) => `| ${cells.join(" | ")} |`;

/** @param {string[]} titles */
const head = (...titles) => [row(...titles), row(...titles.map(() => "---"))];

/** @param {Quartiles} values */
const ratioText = ({ lower, median, upper }) =>
  Number.isNaN(median)
    ? "failed"
    : `${median.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`;

/**
 * Returns the quartiles of a library's ratios to the reference, round by round.
 *
 * @param {SignInSeries} series
 * @param {string} id
 * @param {Measure} measure
 */
const ratios = ({ rounds }, id, measure) =>
  quartiles(
    rounds
      .filter((round) => round[id] && round[REFERENCE])
      .map((round) => round[id][measure] / round[REFERENCE][measure]),
  );

/** @param {SignInConditions} conditions */
const describe = ({ delayMs, metadata, cpuSlowdown }) =>
  `${delayMs} ms, metadata ${metadata}${cpuSlowdown > 1 ? `, CPU ${cpuSlowdown} × slower` : ""}`;

/** @param {Library} library */
const nameOf = ({ name, checksSignature }) => (checksSignature ? name : `${name} †`);

/** @param {Library} library */
function nameWithVersion(library) {
  const version = versionOf(library);
  return version ? `${library.name} ${version}` : library.name;
}

/** @param {Record<string, Size>} size */
const sizeLines = (size) => [
  "## Size",
  "",
  "Bytes after brotli of what a page loads before it can sign in: everything that the main entry exports, and what the",
  "bench's page needs of it.",
  "",
  ...head("library", "main entry", "bench's page"),
  ...LIBRARIES.filter(({ id }) => size[id]).map((library) =>
    row(
      nameWithVersion(library),
      size[library.id].entryBytes ? number.format(size[library.id].entryBytes ?? 0) : "–",
      number.format(size[library.id].pageBytes),
    ),
  ),
  "",
];

/** @param {NonNullable<Results["sign-in"]>} signIn */
function signInLines({ browser, series }) {
  /** @param {Measure} measure @param {string} title @param {string} text */
  const table = (measure, title, text) => [
    `## ${title}`,
    "",
    text,
    "",
    ...head("library", ...series.map(({ conditions }) => describe(conditions))),
    ...LIBRARIES.map((library) =>
      row(
        nameOf(library),
        ...series.map((one) =>
          library.id === REFERENCE
            ? `1 = ${number.format(median(timesOf(one, measure)))} ms`
            : ratioText(ratios(one, library.id, measure)),
        ),
      ),
    ),
    "",
  ];
  /** @param {SignInSeries} series @param {Measure} measure */
  const timesOf = ({ rounds }, measure) =>
    rounds.filter((round) => round[REFERENCE]).map((round) => round[REFERENCE][measure]);
  const delayed = series.filter(
    ({ conditions }) => conditions.delayMs > 0 && conditions.cpuSlowdown === 1,
  );
  /** @param {SignInSeries} series @param {string} id @param {"startRoundTrips" | "callbackRoundTrips"} measure */
  const roundTrips = ({ rounds }, id, measure) => {
    const value = median(rounds.filter((round) => round[id]).map((round) => round[id][measure]));
    return Number.isNaN(value) ? "–" : String(Math.round(value));
  };
  return [
    ...table(
      "startMs",
      "Start",
      "From the HTML of the page that begins the login to its navigation, with empty caches (with `cached` metadata: on the second visit). Ratios to the minimum of the same round: median (quartiles).",
    ),
    ...table(
      "callbackMs",
      "Callback",
      "From the HTML of the callback page to the user. The scripts are in the browser's cache, since the start page had them.",
    ),
    "![Ratios to the minimum](benchmarks.svg)",
    "",
    "## Serial round trips",
    "",
    "Requests after the HTML that wait for one another, CORS preflights included: start + callback.",
    "",
    ...head("library", ...delayed.map(({ conditions }) => `metadata ${conditions.metadata}`)),
    ...LIBRARIES.map((library) =>
      row(
        nameOf(library),
        ...delayed.map(
          (one) =>
            `${roundTrips(one, library.id, "startRoundTrips")} + ${roundTrips(one, library.id, "callbackRoundTrips")}`,
        ),
      ),
    ),
    "",
    `Measured in ${browser}, ${series[0]?.rounds.length ?? 0} rounds.`,
    "",
  ];
}

/** @param {Record<string, Renewals>} renewals */
const renewalLines = (renewals) => [
  "## Renewals",
  "",
  `Token requests when ${CALLERS} callers need a new access token at the same time, in one page and spread over ${TABS} tabs.`,
  "Each library asks by a refresh token. Every tab has a session of its own, so that each tab asks at least once.",
  "keycloak-js is left out: it decodes refresh tokens as JWTs, which oidc-provider's are not.",
  "",
  ...head("library", "one page", `${TABS} tabs`),
  ...LIBRARIES.filter(({ id }) => renewals[id]).map((library) =>
    row(library.name, String(renewals[library.id].onePage), String(renewals[library.id].tabs)),
  ),
  "",
];

/** @param {ValidationRates} rates */
const validationLines = (rates) => [
  "## Validation",
  "",
  "ID tokens (RS256, 2048 bits) validated in a second, one after the other, as a part of what Web Crypto alone verifies",
  "with a key that is already imported. classlink-spa parses the key set, imports the key and hashes the access token each",
  "time, as a sign-in does; jose keeps the key and does not check `at_hash`.",
  "",
  ...head("", "part of Web Crypto's rate"),
  ...["classlink-spa", "jose"].map((name) =>
    row(name, (rates[/** @type {keyof ValidationRates} */ (name)] / rates.webCrypto).toFixed(2)),
  ),
  "",
];

/** @param {NonNullable<Results["memory"]>} memory */
const memoryLines = ({ cycles, heap, wasm }) => [
  "## Memory",
  "",
  `Bytes of JavaScript's heap that each of ${number.format(cycles)} logins with a logout leaves behind in one page.`,
  "",
  ...head("library", "bytes for each login and logout"),
  ...LIBRARIES.filter(({ id }) => heap[id] !== undefined).map((library) =>
    row(library.name, number.format(heap[library.id])),
  ),
  "",
  `classlink-spa's WebAssembly memory: ${number.format(wasm.afterFirst)} bytes after the first login, ${number.format(wasm.afterAll)} after`,
  `${number.format(wasm.logins)} more, ${number.format(wasm.afterLarge)} after a token response of 1 MiB, ${number.format(wasm.afterMore)} after more logins.`,
  "",
];

/**
 * Writes the page.
 *
 * @param {Results} results
 * @param {string} findings Markdown.
 */
export const markdown = (results, findings) =>
  [
    "# Benchmarks",
    "",
    "Written by `npm run bench`: classlink-spa beside other libraries and a minimum written by hand with the same checks,",
    "in the same run. Every library signs in with the real `oidc-provider` in Chromium, in turn; answers of the provider",
    "and of the application's server are delayed by 0 or 40 ms. The code is in `bench/`, an adapter for each library in",
    "`bench/adapters/`.",
    "",
    "Compare ratios; absolute times are those of one machine. † does not check the ID token's signature, and so does",
    "not fetch the key set. Metadata is `given` in the configuration, `cached` by the browser on a second visit, or",
    "`uncached`: fetched each time, and the key set too. auth0-spa-js knows its provider's endpoints, and okta-auth-js reads",
    "the discovery document even when the endpoints are given.",
    "",
    ...(results.size ? sizeLines(results.size) : []),
    ...(results["sign-in"] ? signInLines(results["sign-in"]) : []),
    findings.trim(),
    "",
    ...(results.renewals ? renewalLines(results.renewals) : []),
    ...(results.validations ? validationLines(results.validations) : []),
    ...(results.memory ? memoryLines(results.memory) : []),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");

const BAR = 14;
const LABEL_WIDTH = 210;
const PLOT_WIDTH = 620;
const MAX_RATIO = 4;

/**
 * Draws the ratios to the minimum: a bar for each median, a line from quartile to quartile.
 *
 * @param {NonNullable<Results["sign-in"]>} signIn
 */
export function plot({ series }) {
  const x = (/** @type {number} */ ratio) =>
    LABEL_WIDTH + (Math.min(ratio, MAX_RATIO) / MAX_RATIO) * (PLOT_WIDTH - LABEL_WIDTH - 60);
  /** @type {string[]} */
  const shapes = [];
  let y = 24;
  for (const one of series) {
    for (const [measure, title] of /** @type {[Measure, string][]} */ ([
      ["startMs", "Start"],
      ["callbackMs", "Callback"],
    ])) {
      shapes.push(
        `<text x="0" y="${y}" class="title">${title}: ${describe(one.conditions)}</text>`,
      );
      y += 8;
      for (const { id, name } of LIBRARIES) {
        const { lower, median, upper } =
          id === REFERENCE ? { lower: 1, median: 1, upper: 1 } : ratios(one, id, measure);
        if (Number.isNaN(median)) continue;
        const middle = y + BAR / 2;
        shapes.push(
          `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" class="label">${name}</text>`,
          `<rect x="${LABEL_WIDTH}" y="${y}" width="${(x(median) - LABEL_WIDTH).toFixed(1)}" height="${BAR - 3}" class="${id.startsWith("classlink") ? "own" : "peer"}"/>`,
          `<line x1="${x(lower).toFixed(1)}" x2="${x(upper).toFixed(1)}" y1="${middle - 1}" y2="${middle - 1}"/>`,
          `<text x="${(x(Math.max(median, upper)) + 6).toFixed(1)}" y="${middle + 4}">${median.toFixed(2)}</text>`,
        );
        y += BAR;
      }
      y += 30;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${PLOT_WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="11">
<title>Time to sign in, relative to a minimum written by hand with the same checks</title>
<style>
  text { fill: #333 }
  .title { font-weight: bold }
  .label { text-anchor: end }
  .own { fill: #1668b8 }
  .peer { fill: #9aa7b4 }
  line { stroke: #333 }
  svg { background: #fff }
</style>
${shapes.join("\n")}
</svg>
`;
}
