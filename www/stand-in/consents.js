/** Remembers which scopes users have allowed to clients. */

import { LAUNCHPAD_CLIENT_ID } from "./options.js";

/** @import { Settings } from "./options.js" */

/** The consents of users, per account and client, until the stand-in closes. */
export class Consents {
  #mode;
  /** @type {Map<string, Set<string>>} */
  #scopes = new Map();

  /** @param {Settings["consent"]} mode */
  constructor(mode) {
    this.#mode = mode;
  }

  /**
   * Returns whether the consent page can be skipped.
   *
   * @param {string} sub
   * @param {string} clientId
   * @param {readonly string[]} scopes The requested ones.
   */
  covers(sub, clientId, scopes) {
    if (clientId === LAUNCHPAD_CLIENT_ID || this.#mode === "never") return true;
    const allowed = this.#scopes.get(key(sub, clientId));
    return (
      this.#mode === "remembered" &&
      allowed !== undefined &&
      scopes.every((scope) => allowed.has(scope))
    );
  }

  /** @param {string} sub @param {string} clientId @param {readonly string[]} scopes */
  remember(sub, clientId, scopes) {
    const before = this.#scopes.get(key(sub, clientId)) ?? [];
    this.#scopes.set(key(sub, clientId), new Set([...before, ...scopes]));
  }
}

/** @param {string} sub @param {string} clientId */
function key(sub, clientId) {
  return JSON.stringify([sub, clientId]);
}
