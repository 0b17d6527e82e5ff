/**
 * The programs without which `npm test` leaves some tests out.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { BROWSERS, findBrowser } from "./browser.mjs";
import { execCapture, which } from "./run.mjs";

/**
 * A program that some tests need.
 *
 * @typedef {object} Optional
 * @property {string} title
 * @property {() => string | undefined} find Returns its path, if it is installed.
 * @property {string[]} debian Its packages for `apt-get`.
 * @property {string} install How to install it elsewhere.
 * @property {string} without What happens without it.
 */

/** Debian has servers outside of a user's search path. @param {string} name */
const findServer = (name) => which(name) ?? [`/usr/sbin/${name}`].find((path) => existsSync(path));

/** Finds a Python that has PyJWT: the one that the environment names, the first on the search path, or the system's. */
export const findPyJwt = () =>
  [process.env.PYTHON, which("python3"), "/usr/bin/python3"].find(
    (path) => path && execCapture(path, ["-c", "import cryptography, jwt"]).ok,
  );

/** @type {Record<"headlessShell" | "redis" | "nginx" | "caddy" | "php" | "pyJwt", Optional>} */
export const OPTIONAL = {
  headlessShell: {
    title: BROWSERS.headlessShell.title,
    find: () => findBrowser("headlessShell"),
    debian: BROWSERS.headlessShell.debian,
    install: "HEADLESS_SHELL=/path/to/it in the environment",
    without: "the tests use Chromium, which takes longer",
  },
  redis: {
    title: "Redis",
    find: () => which("redis-server"),
    debian: ["redis-server"],
    install: "brew install redis",
    without: "the tests of a store that several gateways share are left out",
  },
  nginx: {
    title: "nginx",
    find: () => findServer("nginx"),
    debian: ["nginx"],
    install: "brew install nginx",
    without: "the tests of a back end behind nginx are left out",
  },
  caddy: {
    title: "Caddy",
    find: () => which("caddy"),
    debian: ["caddy"],
    install: "brew install caddy",
    without: "the test of the native gateway behind Caddy is left out",
  },
  php: {
    title: "PHP",
    find: () => which("php"),
    debian: ["php-cli"],
    install: "brew install php",
    without: "the test of a back end in PHP is left out",
  },
  pyJwt: {
    title: "PyJWT",
    find: findPyJwt,
    debian: ["python3-jwt", "python3-cryptography"],
    install: "pip install 'pyjwt[crypto]', and PYTHON=/path/to/that/python in the environment",
    without: "the test of an assertion in Python is left out",
  },
};

/** How to install a program. @param {Optional} program */
export const remedyOf = ({ debian, install }) => `apt-get install ${debian.join(" ")}; ${install}`;

/**
 * Returns why tests that need these programs are skipped: `false` if all are installed.
 *
 * @param {...keyof typeof OPTIONAL} names
 */
export function skipWithout(...names) {
  const missing = names.map((name) => OPTIONAL[name]).filter(({ find }) => !find());
  if (missing.length === 0) return false;
  return missing.map((one) => `${one.title} is not installed (${remedyOf(one)})`).join(", ");
}
