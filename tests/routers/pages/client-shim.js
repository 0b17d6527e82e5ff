/** In place of `classlink-spa` in the recipes: the same client for a test, who is signed in by `window.scenario`. */

import { createTestClient } from "classlink-spa/testing";

export function createClient({ onUserChange, basePath }) {
  const client = createTestClient({ ...window.scenario?.client, onUserChange, basePath });
  Object.assign(window, { client });
  return client;
}
