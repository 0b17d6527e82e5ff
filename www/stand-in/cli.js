#!/usr/bin/env node
/** The command line: starts one stand-in for one application, until it is interrupted or its command ends. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import spawn from "cross-spawn";
import { startStandIn } from "./index.js";

/** @import { StandIn, StandInOptions } from "./types.d.ts" */

const HELP = `A local stand-in for ClassLink, for demos and end-to-end tests.

Usage: classlink-stand-in --client-id ID --redirect-uri URL [options] [-- COMMAND…]

With a command, such as \`-- vite\`, it runs the command as well, and stops when that ends.

  --client-id ID            the application's client id
  --redirect-uri URL        its redirect URI; may be given several times
  --launch-url URL          URL that the partner-initiated LaunchPad tile opens
  --client-secret SECRET    its client secret
  --name NAME               its name on the pages

  --host HOST               host name of both origins (localhost)
  --port PORT               port of the issuer (4400; 0 for a free one)
  --api-port PORT           port of profileinfo and my/info (4401; 0 for a free one)
  --tls-key FILE            PEM; with --tls-cert both origins are https
  --tls-cert FILE           PEM

  --secret-only             refuse token requests without the client secret
  --no-cors                 allow no requests from other origins' pages (CORS)
  --consent MODE            remembered, always or never (remembered)
  --pkce MODE               honoured or ignored (honoured)
  --refresh-tokens          issue refresh tokens, each for one use
  --expires-in              include expires_in in token responses
  --revocation              serve a revocation endpoint
  --end-session             serve an end-session endpoint
  --post-logout-redirect-uri URL
                            URL that the end-session endpoint may redirect to; may be given several times
  --iss-parameter           include iss in authorization responses (RFC 9207)
  --framing                 let the application show the pages in iframes
  --cross-site-cookies      send the session cookie to iframes on other sites; needs TLS
  --opener-policy POLICY    the pages' Cross-Origin-Opener-Policy, such as same-origin
  --no-tenant-claims        leave out the classLink_* claims
  --my-info-error STATUS    my/info returns HTTP 200 with this status in its body
  --id-token-lifetime S     seconds (86400)
  --access-token-lifetime S seconds (86400)
  --code-lifetime S         seconds (300)

  --help                    this text
`;

const FLAGS = /** @type {const} */ ({
  "client-id": { type: "string" },
  "redirect-uri": { type: "string", multiple: true },
  "launch-url": { type: "string" },
  "client-secret": { type: "string" },
  name: { type: "string" },
  host: { type: "string" },
  port: { type: "string", default: "4400" },
  "api-port": { type: "string", default: "4401" },
  "tls-key": { type: "string" },
  "tls-cert": { type: "string" },
  "secret-only": { type: "boolean" },
  "no-cors": { type: "boolean" },
  consent: { type: "string" },
  pkce: { type: "string" },
  "refresh-tokens": { type: "boolean" },
  "expires-in": { type: "boolean" },
  revocation: { type: "boolean" },
  "end-session": { type: "boolean" },
  "post-logout-redirect-uri": { type: "string", multiple: true },
  "iss-parameter": { type: "boolean" },
  framing: { type: "boolean" },
  "cross-site-cookies": { type: "boolean" },
  "opener-policy": { type: "string" },
  "no-tenant-claims": { type: "boolean" },
  "my-info-error": { type: "string" },
  "id-token-lifetime": { type: "string" },
  "access-token-lifetime": { type: "string" },
  "code-lifetime": { type: "string" },
  help: { type: "boolean", short: "h" },
});

/** A mistake in the command line. */
class UsageError extends Error {}

try {
  const [own, command] = splitCommand(process.argv.slice(2));
  const { values } = parseArgs({ args: own, options: FLAGS, strict: true });
  if (values.help) {
    process.stdout.write(HELP);
  } else {
    await run(optionsFrom(values), command);
  }
} catch (error) {
  const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
  const usage =
    error instanceof UsageError ||
    error instanceof TypeError ||
    code?.startsWith("ERR_PARSE_ARGS") === true;
  process.stderr.write(`classlink-stand-in: ${message}\n`);
  if (usage) process.stderr.write("Try classlink-stand-in --help\n");
  process.exitCode = usage ? 2 : 1;
}

/**
 * Splits the arguments at the first `--`.
 *
 * @param {string[]} args
 * @returns {[own: string[], command: string[]]} an empty command if there is no `--`
 */
function splitCommand(args) {
  const end = args.indexOf("--");
  if (end < 0) return [args, []];
  const command = args.slice(end + 1);
  if (command.length === 0) throw new UsageError("--: the command after it is missing");
  return [args.slice(0, end), command];
}

/**
 * @param {Record<string, any>} values
 * @returns {StandInOptions}
 */
function optionsFrom(values) {
  const clientId = values["client-id"];
  const redirectUris = values["redirect-uri"];
  if (!clientId) throw new UsageError("--client-id is missing");
  if (!redirectUris) throw new UsageError("--redirect-uri is missing");
  if (Boolean(values["tls-key"]) !== Boolean(values["tls-cert"])) {
    throw new UsageError("--tls-key and --tls-cert belong together");
  }
  return {
    host: values.host,
    port: number(values, "port"),
    apiPort: number(values, "api-port"),
    ...(values["tls-key"] && {
      tls: { key: pem(values, "tls-key"), cert: pem(values, "tls-cert") },
    }),
    clients: [
      {
        clientId,
        clientSecret: values["client-secret"],
        redirectUris,
        postLogoutRedirectUris: values["post-logout-redirect-uri"],
        launchUrl: values["launch-url"],
        name: values.name,
      },
    ],
    publicClients: !values["secret-only"],
    cors: !values["no-cors"],
    consent: values.consent,
    pkce: values.pkce,
    refreshTokens: values["refresh-tokens"],
    expiresIn: values["expires-in"],
    revocation: values.revocation,
    endSession: values["end-session"],
    issParameter: values["iss-parameter"],
    framing: values.framing,
    crossSiteCookies: values["cross-site-cookies"],
    openerPolicy: values["opener-policy"],
    tenantClaims: !values["no-tenant-claims"],
    myInfoError: number(values, "my-info-error"),
    idTokenLifetime: number(values, "id-token-lifetime"),
    accessTokenLifetime: number(values, "access-token-lifetime"),
    codeLifetime: number(values, "code-lifetime"),
  };
}

/** @param {Record<string, string | undefined>} values @param {string} flag */
function number(values, flag) {
  const value = values[flag];
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new UsageError(`--${flag} must be a number`);
  return Number(value);
}

/** @param {Record<string, string>} values @param {string} flag */
function pem(values, flag) {
  try {
    return readFileSync(values[flag] ?? "", "utf8");
  } catch {
    throw new UsageError(`--${flag}: the file can't be read`);
  }
}

/** @param {StandInOptions} options @param {string[]} command */
async function run(options, command) {
  const standIn = await startStandIn(options);
  // What is printed goes before the command's own output.
  describe(standIn);
  if (command.length > 0) {
    try {
      process.exitCode = await runCommand(command);
    } finally {
      await standIn.close();
    }
    return;
  }
  const stop = () => standIn.close();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

/**
 * Runs a command with this terminal, until it ends. What would end this process ends the command first.
 *
 * @param {string[]} command
 * @returns {Promise<number>} its exit status
 */
async function runCommand([program = "", ...args]) {
  const child = spawn(program, args, { stdio: "inherit" });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  try {
    const [status, signal] = await once(child, "close");
    return status ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new Error(code === "ENOENT" ? `the command ${program} was not found` : message);
  }
}

/** @param {StandIn} standIn */
function describe(standIn) {
  const lines = [
    "Stand-in for ClassLink (this is not ClassLink)",
    "",
    `  issuer        ${standIn.issuer}`,
    `  discovery     ${standIn.discoveryUrl}`,
    `  LaunchPad     ${standIn.launchPadUrl}`,
    `  profileinfo   ${standIn.endpoints.userinfo_endpoint}`,
    `  my/info       ${standIn.endpoints.my_info_endpoint}`,
    "",
    "Users:",
    ...standIn.districts.flatMap((district) => [
      `  ${district.name} (tenant ${district.id})`,
      ...standIn.accounts
        .filter(({ districtId }) => districtId === district.id)
        .map(
          ({ sub, firstName, lastName, note }) => `    ${sub}  ${firstName} ${lastName}: ${note}`,
        ),
    ]),
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
