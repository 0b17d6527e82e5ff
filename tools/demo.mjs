/**
 * The demo: a local ClassLink stand-in, and a single-page app that signs in with it.
 *
 * @module
 */

import { createServer } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { asProgram, Problem, root } from "./lib/run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `Starts the demo app and a local ClassLink stand-in, until Ctrl-C.

Usage: npm run demo -- [options]

  --secret-only        the stand-in refuses token requests without the client secret
  --no-cors            the stand-in's endpoints answer no other origin's page
  --consent MODE       when the consent page comes: remembered, always or never (remembered)
  --pkce MODE          whether the code verifier is checked: honoured or ignored (honoured)
  --no-tenant-claims   leave the classLink_* claims out of the tokens
  --profile SOURCE     where the user's fields come from: id-token, userinfo or my-info (id-token)

  --port PORT          the app's (5173)
  --issuer-port PORT   the stand-in's (4400)
  --api-port PORT      the stand-in's second origin's (4401)
  --help               this text

A port that is taken is replaced by a free one.
`;

const FLAGS = /** @type {const} */ ({
  "secret-only": { type: "boolean" },
  "no-cors": { type: "boolean" },
  consent: { type: "string" },
  pkce: { type: "string" },
  "no-tenant-claims": { type: "boolean" },
  profile: { type: "string" },
  port: { type: "string", default: "5173" },
  "issuer-port": { type: "string", default: "4400" },
  "api-port": { type: "string", default: "4401" },
  help: { type: "boolean", short: "h" },
});

const CLIENT_ID = "reading-room";

/** The flags, or a {@link Problem} that says which is wrong. */
function flags(args) {
  try {
    return parseArgs({ args, options: FLAGS }).values;
  } catch (error) {
    throw new Problem(`${error.message}\n\n${HELP}`);
  }
}

/** The port wished for, or a free one where it is taken. `localhost` may be either loopback address: both count. */
async function freePort(wish) {
  const port = Number(wish);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Problem(`${wish} is no port number.`);
  }
  for (const host of ["127.0.0.1", "::1"]) {
    if (!(await canListen(port, host))) return freePort(0);
  }
  return port || canListen(0, "127.0.0.1");
}

/** The port, or 0 if it is taken; a machine without the address at all takes nothing. */
function canListen(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }) =>
      resolve(code === "EADDRINUSE" || code === "EACCES" ? 0 : -1),
    );
    server.listen(port, host, () => {
      const { port: taken } = server.address();
      server.close(() => resolve(taken));
    });
  });
}

async function startStandIn(values, app) {
  const standIn = await import(new URL("../www/stand-in/index.js", import.meta.url));
  try {
    return await standIn.startStandIn({
      port: await freePort(values["issuer-port"]),
      apiPort: await freePort(values["api-port"]),
      clients: [
        {
          clientId: CLIENT_ID,
          name: "Reading Room",
          redirectUris: [`${app}/callback`],
          launchUrl: `${app}/launch`,
        },
      ],
      publicClients: !values["secret-only"],
      cors: !values["no-cors"],
      consent: values.consent,
      pkce: values.pkce,
      tenantClaims: !values["no-tenant-claims"],
    });
  } catch (error) {
    if (error instanceof TypeError) throw new Problem(`${error.message}\n\n${HELP}`);
    throw error;
  }
}

async function startApp(port) {
  const { createServer: createVite } = await import("vite");
  const vite = await createVite({
    root: join(root, "www/app"),
    logLevel: "warn",
    clearScreen: false,
    server: { host: "localhost", port, strictPort: true },
  });
  await vite.listen();
  return vite;
}

function printWhatToTry(app, standIn) {
  console.log(`
  The app        ${app}
  LaunchPad      ${standIn.launchPadUrl}    (the stand-in for ClassLink)

  What to try
  · By button: open the app, press "Sign in with ClassLink", pick a district and a person.
  · By tile: open LaunchPad and press a tile of the app. One kind of tile brings a code without a state:
    the app answers it with a login of its own.
  · Refuse: press "Refuse" on the consent page, and see what the app says. The page comes once for each
    person; with --consent always it comes every time.
  · Two people: sign in in two tabs, in one of them as somebody else of the same SourcedId.
  · A harder provider: --secret-only, --no-cors, --pkce ignored, --no-tenant-claims (--help says more).

  Ctrl-C ends it.
`);
}

/** Resolves when the person or the system asks the program to end. */
function interrupted() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, resolve);
  });
}

await asProgram(import.meta, async (args) => {
  const values = flags(args);
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  await setUp();
  await build();

  const port = await freePort(values.port);
  const app = `http://localhost:${port}`;
  const standIn = await startStandIn(values, app);
  // Vite hands the app what begins with VITE_.
  Object.assign(process.env, {
    VITE_CLIENT_ID: CLIENT_ID,
    VITE_ISSUER: standIn.issuer,
    VITE_REDIRECT_URI: `${app}/callback`,
    VITE_METADATA: JSON.stringify(standIn.endpoints),
    ...(values.profile && { VITE_PROFILE: values.profile }),
  });
  const vite = await startApp(port);
  printWhatToTry(app, standIn);

  await interrupted();
  await Promise.all([vite.close(), standIn.close()]);
  console.log("\nThe demo has ended.");
  // Browsers keep connections open that would keep the process.
  process.exit(0);
});
