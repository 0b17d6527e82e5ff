/**
 * The libraries that are compared.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/**
 * @typedef {object} Library
 * @property {string} id Its adapter's file, and its folder at the application's origin, unless `adapter` names another.
 * @property {string} [adapter]
 * @property {string} name
 * @property {string} [packageName] The npm package.
 * @property {string} [entry] What an application imports: the whole of it is weighed.
 * @property {string} [head] Elements of its pages' heads.
 * @property {boolean} [issuerEndsWithSlash]
 * @property {boolean} [checksSignature]
 * @property {boolean} [canRenew] Whether it renews access tokens, by a refresh token that is any string.
 */

const WASM = "classlink_spa_bg.wasm";

/** @type {Library[]} */
export const LIBRARIES = [
  {
    id: "classlink-spa",
    name: "classlink-spa",
    packageName: "classlink-spa",
    entry: "classlink-spa",
    checksSignature: true,
    canRenew: true,
  },
  {
    id: "classlink-spa-preload",
    adapter: "classlink-spa",
    name: "classlink-spa, preloaded",
    packageName: "classlink-spa",
    head: `<link rel="preload" href="${WASM}" as="fetch" type="application/wasm" crossorigin>`,
    checksSignature: true,
  },
  {
    id: "classlink-spa-inline",
    name: "classlink-spa/inline",
    packageName: "classlink-spa",
    entry: "classlink-spa/inline",
    checksSignature: true,
  },
  {
    id: "oidc-client-ts",
    name: "oidc-client-ts",
    packageName: "oidc-client-ts",
    entry: "oidc-client-ts",
    canRenew: true,
  },
  {
    id: "auth0-spa-js",
    name: "auth0-spa-js",
    packageName: "@auth0/auth0-spa-js",
    entry: "@auth0/auth0-spa-js",
    issuerEndsWithSlash: true,
    canRenew: true,
  },
  {
    id: "oauth4webapi",
    name: "oauth4webapi",
    packageName: "oauth4webapi",
    entry: "oauth4webapi",
    checksSignature: true,
  },
  { id: "keycloak-js", name: "keycloak-js", packageName: "keycloak-js", entry: "keycloak-js" },
  {
    id: "okta-auth-js",
    name: "okta-auth-js",
    packageName: "@okta/okta-auth-js",
    entry: "@okta/okta-auth-js/core",
    checksSignature: true,
    canRenew: true,
  },
  { id: "minimum", name: "minimum by hand", checksSignature: true },
];

/** The library that ratios are relative to. */
export const REFERENCE = "minimum";

/**
 * Returns the installed version of a library, if it has one.
 *
 * @param {Library} library
 * @returns {string | undefined}
 */
export function versionOf({ packageName }) {
  if (!packageName) return undefined;
  const manifest = new URL(`../node_modules/${packageName}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
