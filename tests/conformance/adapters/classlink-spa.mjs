/**
 * This package, as built.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** @import { Adapter } from "../runner.mjs" */

const manifest = new URL("../../../pkg/package.json", import.meta.url);

/** @type {Adapter} */
export default {
  name: "classlink-spa",
  version: JSON.parse(readFileSync(manifest, "utf8")).version,
  ours: true,
  async pageScript({ navigate, ...settings }) {
    return `
      import { createClient } from "/pkg/index.js";
      const events = [];
      const settings = ${JSON.stringify(settings)};
      const client = createClient({
        ...settings,
        ${navigate ? `navigate: ${navigate},` : ""}
        onEvent: (event) => events.push(event),
      });
      window.rp = {
        client,
        events,
        settings,
        createClient,
        login: (options) => client.startLogin(options),
        callback: (url) => client.handleCallback(url),
      };
    `;
  },
};
