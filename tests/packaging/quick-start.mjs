/** The quick start's Next.js app in a throwaway project, beside its stand-in, and a user's Chromium. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../tools/lib/ports.mjs";
import { launch, openPage } from "../support/browser.mjs";
import { newKey } from "../support/gateway.mjs";
import { startProgram, untilReady } from "../support/program.mjs";
import {
  filesOf,
  keepsItsSession,
  layOut,
  loginAtApp,
  SECRET,
  startQuickStandIn,
} from "../support/quick-start.mjs";

/** The files of `create-next-app` that the page leaves alone. */
const TEMPLATE = {
  "app/globals.css": "",
  "next.config.ts": "export default { cacheComponents: true, partialPrefetching: true };\n",
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "ES2017",
      lib: ["dom", "dom.iterable", "esnext"],
      allowJs: true,
      skipLibCheck: true,
      strict: true,
      noEmit: true,
      esModuleInterop: true,
      module: "esnext",
      moduleResolution: "bundler",
      resolveJsonModule: true,
      isolatedModules: true,
      jsx: "react-jsx",
      incremental: true,
      plugins: [{ name: "next" }],
    },
    include: ["next-env.d.ts", "**/*.ts", "**/*.tsx", ".next/types/**/*.ts"],
    exclude: ["node_modules"],
  }),
};

/**
 * Lays the app out and starts it as the page says.
 *
 * @param {string} folder
 * @param {object} how
 * @param {string[]} how.command Next's server, for Node
 * @param {string} how.mode its `NODE_ENV`
 * @param {() => Promise<unknown>} [how.build] runs before the app has its secrets
 */
export async function startQuickStart(folder, { command, mode, build }) {
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  const stop = async () => {
    await Promise.all(ends.map((end) => end()));
  };
  try {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const standIn = await startQuickStandIn(origin, { publicClients: false });
    ends.push(() => standIn.close());
    layOut(folder, { ...TEMPLATE, ...filesOf("next") }, { app: port, issuer: standIn.issuer });
    await build?.();
    await writeFile(
      join(folder, ".env.local"),
      `CLASSLINK_CLIENT_SECRET=${SECRET}\nSEALING_KEY=${newKey()}\n`,
    );
    const program = startProgram(process.execPath, [...command, "--port", String(port)], {
      cwd: folder,
      env: { NODE_ENV: mode },
    });
    ends.push(() => program.stop());
    // A development server compiles each when it is asked for.
    for (const path of ["/auth/health", "/classes"]) await untilReady(program, origin + path);
    const browser = await launch();
    ends.push(() => browser.close());
    return { ...(await openPage(browser)), url: `${origin}/classes`, program, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Checks of what the page promises of the application. */
export const QUICK_START = {
  async "a student signs in, stays signed in over a reload, and signs out for good"({
    page,
    url,
    errors,
  }) {
    await loginAtApp(page, url);
    assert.equal(page.url(), url);
    await keepsItsSession(page);
    assert.deepEqual(errors, []);
  },
};
