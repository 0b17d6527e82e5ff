/**
 * The demo: a local ClassLink stand-in, and single-page apps that sign in with it, through a gateway unless told
 * otherwise.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { freePortLike } from "./lib/ports.mjs";
import { CliError, root, runAsCli } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `Starts the demo apps and a local ClassLink stand-in, until Ctrl-C.

Usage: npm run demo -- [options]

By default the apps sign in through the gateway, which the app's own server holds: the stand-in demands the client
secret and answers no other origin's page, as ClassLink is thought to do.

  --direct             without a gateway: the apps are public clients, and the stand-in lets them
  --idle SECONDS       sign users out after so long without activity (1800); a warning comes a minute before, or
                       after half of a shorter time
  --token-lifetime S   access tokens that live S seconds, and refresh tokens to renew them
  --end-session        the stand-in has an end-session endpoint, as ClassLink has none
  --consent MODE       when the consent page comes: remembered, always or never (remembered)
  --pkce MODE          whether the code verifier is checked: honoured or ignored (honoured)
  --no-tenant-claims   leave the classLink_* claims out of the tokens
  --profile SOURCE     where the user's fields come from: id-token, userinfo or my-info (id-token)

With --direct:
  --restore MODE       how a reload finds the session again: none, iframe or redirect (none)
  --secret-only        the stand-in refuses token requests without the client secret
  --no-cors            the stand-in allows no requests from other origins' pages (CORS)

  --port PORT          the apps' and the gateway's (5173)
  --bookmarks-port PORT  the app's own API's (5174)
  --issuer-port PORT   the stand-in's (4400)
  --api-port PORT      the stand-in's second origin's (4401)
  --help               this text

A port that is taken is replaced by a free one.
`;

const FLAGS = /** @type {const} */ ({
  direct: { type: "boolean" },
  idle: { type: "string" },
  "token-lifetime": { type: "string" },
  "end-session": { type: "boolean" },
  consent: { type: "string" },
  pkce: { type: "string" },
  "no-tenant-claims": { type: "boolean" },
  profile: { type: "string" },
  restore: { type: "string" },
  "secret-only": { type: "boolean" },
  "no-cors": { type: "boolean" },
  port: { type: "string", default: "5173" },
  "bookmarks-port": { type: "string", default: "5174" },
  "issuer-port": { type: "string", default: "4400" },
  "api-port": { type: "string", default: "4401" },
  help: { type: "boolean", short: "h" },
});

const CLIENT_ID = "reading-room";

/** Where the gateway is, on the apps' own origin. */
const GATEWAY = "/auth";

/** The flags, or a {@link CliError} that says which is wrong. */
function flags(args) {
  let values;
  try {
    values = parseArgs({ args, options: FLAGS }).values;
  } catch (error) {
    throw new CliError(`${/** @type {Error} */ (error).message}\n\n${HELP}`);
  }
  for (const name of ["idle", "token-lifetime"]) {
    if (values[name] !== undefined && !/^[1-9]\d{0,6}$/.test(values[name])) {
      throw new CliError(`--${name} takes a number of seconds.\n\n${HELP}`);
    }
  }
  for (const name of ["restore", "secret-only", "no-cors"]) {
    if (values[name] && !values.direct) throw new CliError(`--${name} needs --direct.\n\n${HELP}`);
  }
  if (!["none", "iframe", "redirect"].includes(values.restore ?? "none")) {
    throw new CliError(`--restore is none, iframe or redirect.\n\n${HELP}`);
  }
  return values;
}

/**
 * Where everything is.
 *
 * @typedef {object} Addresses
 * @property {number} port The apps'.
 * @property {string} app The apps' origin.
 * @property {string} bookmarks The origin of the app's own API.
 * @property {string[]} redirectUris The React app's, and the Vue app's.
 */

/** @returns {Promise<Addresses>} */
async function addresses(values) {
  const port = await freePortLike(values.port);
  const app = `http://localhost:${port}`;
  return {
    port,
    app,
    bookmarks: `http://localhost:${await freePortLike(values["bookmarks-port"])}`,
    redirectUris: [`${app}/callback`, `${app}/vue/callback`],
  };
}

/**
 * @param {Record<string, any>} values Of the command line.
 * @param {Addresses} addresses
 * @param {string | undefined} clientSecret
 */
async function startStandIn(values, { app, redirectUris }, clientSecret) {
  const standIn = await import("../www/stand-in/index.js");
  const lifetime = values["token-lifetime"];
  try {
    return await standIn.startStandIn({
      port: await freePortLike(values["issuer-port"]),
      apiPort: await freePortLike(values["api-port"]),
      clients: [
        {
          clientId: CLIENT_ID,
          ...(clientSecret && { clientSecret }),
          name: "Reading Room",
          redirectUris,
          launchUrl: `${app}/launch?target_link_uri=${encodeURIComponent(`${app}/shelf`)}`,
          postLogoutRedirectUris: [`${app}/signed-out`],
        },
      ],
      publicClients: values.direct ? !values["secret-only"] : false,
      cors: values.direct ? !values["no-cors"] : false,
      framing: values.restore === "iframe",
      endSession: values["end-session"],
      consent: values.consent,
      pkce: values.pkce,
      tenantClaims: !values["no-tenant-claims"],
      ...(lifetime && {
        refreshTokens: true,
        expiresIn: true,
        accessTokenLifetime: Number(lifetime),
      }),
    });
  } catch (error) {
    if (error instanceof TypeError)
      throw new CliError(`${/** @type {Error} */ (error).message}\n\n${HELP}`);
    throw error;
  }
}

/** Vite hands the apps what begins with VITE_. The rest is for the gateway in its server, and is printed nowhere. */
function environment(values, { app, bookmarks, redirectUris }, standIn, clientSecret) {
  return {
    VITE_CLIENT_ID: CLIENT_ID,
    VITE_ISSUER: standIn.issuer,
    VITE_REDIRECT_URI: redirectUris[0],
    VITE_METADATA: JSON.stringify(standIn.endpoints),
    VITE_API: bookmarks,
    ...(values.profile && { VITE_PROFILE: values.profile }),
    ...(values.idle && { VITE_IDLE_TIMEOUT: values.idle }),
    ...(values.restore && { VITE_RESTORE: values.restore }),
    ...(values["end-session"] && { VITE_POST_LOGOUT_REDIRECT_URI: `${app}/signed-out` }),
    ...(clientSecret && {
      VITE_GATEWAY: GATEWAY,
      CLASSLINK_CLIENT_SECRET: clientSecret,
      CLASSLINK_SEALING_KEYS: newSecret(),
      CLASSLINK_REDIRECT_URIS: redirectUris.join(" "),
    }),
  };
}

/** 256 random bits. */
function newSecret() {
  return randomBytes(32).toString("base64url");
}

/** One server for both apps: the Vue one lies below /vue/. @param {number} port */
async function startApps(port) {
  const { createServer } = await import("vite");
  /** @type {import("vite").InlineConfig} */
  const common = { logLevel: "warn", clearScreen: false };
  /** @type {import("vite").ViteDevServer | undefined} */
  let vue;
  const react = await createServer({
    ...common,
    root: join(root, "www/app"),
    server: { host: "localhost", port, strictPort: true },
    plugins: [
      {
        name: "vue-app",
        configureServer({ middlewares }) {
          middlewares.use((request, response, next) => {
            if (vue && /^\/vue(\/|$)/.test(request.url ?? ""))
              vue.middlewares(request, response, next);
            else next();
          });
        },
      },
    ],
  });
  vue = await createServer({
    ...common,
    root: join(root, "www/vue-app"),
    base: "/vue/",
    server: { middlewareMode: true, hmr: { server: react.httpServer ?? undefined } },
  });
  await react.listen();
  return { close: () => Promise.all([vue.close(), react.close()]) };
}

function printWhatToTry(values, { app }, standIn) {
  const through = values.direct
    ? "directly: public client, no gateway"
    : `through the gateway at ${app}${GATEWAY}`;
  const reload = values.direct
    ? values.restore && values.restore !== "none"
      ? `Reload: you stay signed in; the stand-in is asked (${values.restore}, prompt=none).`
      : "Reload: you are signed out of the app, for its tokens live in memory alone (--restore says otherwise)."
    : "Reload, or open a second tab: you stay signed in, though the browser's storage is empty. The gateway has\n" +
      "    the session in a sealed cookie that no script can read.";
  const idle = values.idle
    ? `Wait ${values.idle} seconds without touching anything: the app asks whether you are still there, then signs you out.`
    : "Do nothing for half an hour, or start with --idle 60: the app asks whether you are still there, then signs you out.";
  console.log(`
  The app        ${app}    (React; signs in ${through})
  The Vue app    ${app}/vue/
  In a frame     ${app}/classroom.html    (a learning platform's page that frames the app)
  LaunchPad      ${standIn.launchPadUrl}    (the stand-in for ClassLink)

  What to try
  · By button: open the app, press "Sign in with ClassLink", pick a district and a user.
  · By tile: open LaunchPad and press a tile of the app. One kind of tile brings a code without a state:
    the app answers it with a login of its own.
  · ${reload}
  · Two tabs: sign out in one, and look at the other.
  · A shared device: sign out, and press "Sign in" again. ${
    values["end-session"]
      ? "ClassLink's session has ended, too: it asks who you are."
      : "ClassLink still knows you and asks nothing;\n    the app says so when you sign out."
  }
  · ${idle}
  · Refuse: press "Refuse" on the consent page, and see what the app says. The page comes once for each
    user; with --consent always it comes every time.
  · The help desk's page, ${app}/help-desk: what a sign-in needs here, and whether it is there.
  · A harder provider: ${
    values.direct
      ? "--secret-only, --no-cors, --pkce ignored, --no-tenant-claims"
      : "--pkce ignored, --token-lifetime 20, --direct --no-cors"
  } (--help says more).

  ${values.direct ? "" : "The gateway's log follows, a line for each request. "}Ctrl-C ends it.
`);
}

/** Resolves when the program is asked to end (Ctrl+C, SIGTERM). */
function interrupted() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, resolve);
  });
}

await runAsCli(import.meta, async (args) => {
  const values = flags(args);
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  await setUp();
  await build();

  const clientSecret = values.direct ? undefined : newSecret();
  const where = await addresses(values);
  const standIn = await startStandIn(values, where, clientSecret);
  Object.assign(process.env, environment(values, where, standIn, clientSecret));
  const apps = await startApps(where.port);
  printWhatToTry(values, where, standIn);

  await interrupted();
  await Promise.all([apps.close(), standIn.close()]);
  console.log("\nThe demo has ended.");
  // Browsers keep connections open that would keep the process.
  process.exit(0);
});
