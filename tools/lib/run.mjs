/**
 * Starts other programs, and writes to the terminal.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root folder. */
export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "");

/** A failure whose message says what to do: it is shown without a stack. */
export class CliError extends Error {}

/**
 * Tells what is being done.
 *
 * @param {string} text
 */
export function logStep(text) {
  console.log(`▸ ${text}`);
}

/**
 * Finds a program on the search path.
 *
 * @param {string} name
 * @returns {string | undefined} its full path
 */
export function which(name) {
  const names = process.platform === "win32" ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const candidate of names) {
      const path = join(folder, candidate);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not here: the next folder.
      }
    }
  }
  return undefined;
}

/** The output of programs whose download failed since there is no network. */
const NETWORK_TROUBLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|could not resolve host|couldn't resolve host|failed to connect to|spurious network error|network is unreachable|temporary failure (?:in name resolution|resolving)|could not download file|dns error/i;

/** How the folder and the environment of a program differ from this one's. */
/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv }} Where */

/**
 * Runs a program with its output shown.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Where & { onLine?: (line: string) => void, title?: string }} [options] `onLine` hears each line of standard
 * output; with a `title`, that and the output are shown in one piece when the program ends, since others run beside it
 * @returns {Promise<void>}
 * @throws {CliError} when the program can't be started or fails; the message tells a missing network apart
 */
export async function run(command, args, { cwd = root, env = process.env, onLine, title } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ["inherit", "pipe", "pipe"] });
  let errors = "";
  let rest = "";
  let held = "";
  const show = (/** @type {NodeJS.WriteStream} */ stream, /** @type {string} */ text) => {
    if (title === undefined) stream.write(text);
    else held += text;
  };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    show(process.stdout, text);
    if (!onLine) return;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    show(process.stderr, text);
    errors = (errors + text).slice(-20_000);
  });
  const shown = `${command} ${args.join(" ")}`;
  const outcome = await new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new CliError(`\`${shown}\` can't be started: ${error.message}`)),
    );
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  if (rest && onLine) onLine(rest);
  if (title !== undefined) {
    logStep(title);
    process.stdout.write(held);
  }
  if (outcome === 0) return;
  if (NETWORK_TROUBLE.test(errors)) {
    throw new CliError(
      `\`${shown}\` could not reach the network.\n` +
        "Check the connection (and the proxy: HTTPS_PROXY), or a mirror's settings, then run this again; " +
        "what was downloaded already is kept.",
    );
  }
  throw new CliError(`\`${shown}\` failed (${outcome}).`);
}

/**
 * Runs a short program and takes its output.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Where} [options]
 * @returns {{ ok: boolean, stdout: string, stderr: string }}
 */
export function execCapture(command, args, { cwd = root, env = process.env } = {}) {
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return {
    ok: result.status === 0,
    stdout: result.stdout ?? "",
    stderr: result.stderr ?? result.error?.message ?? "",
  };
}

/**
 * Runs `main` when the module was started as a program, and turns its failure into a message and exit code 1.
 *
 * @param {ImportMeta} meta the module's own `import.meta`
 * @param {(args: string[]) => unknown} main gets the command line's arguments
 */
export async function runAsCli(meta, main) {
  // Node's `import.meta.url` has no symbolic links; the command line may.
  if (realpathSync(process.argv[1] ?? ".") !== fileURLToPath(meta.url)) return;
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof CliError ? `\n✗ ${error.message}` : error);
    process.exitCode = 1;
  }
}
