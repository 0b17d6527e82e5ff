/**
 * The pages of the documentation's site, as its sidebar groups them.
 *
 * @module
 */

/** Names of pages in `docs/`, without `.md`. @type {Record<string, string[]>} */
export const GROUPS = {
  Start: [
    "create",
    "quick-start",
    "playground",
    "configuration",
    "scopes",
    "errors",
    "troubleshooting",
  ],
  "Your application": [
    ...["base-paths", "loaders", "caches", "server-components", "own-api", "launchpad"],
    ...["districts", "sessions", "class-names", "translating", "testing", "stand-in", "devtools"],
  ],
  Frameworks: ["nuxt", "sveltekit", "angular", "cdn", "bundlers", "migration"],
  "The server": ["gateway", "gateway-native", "csp", "security", "monitoring"],
  "How it holds up": [
    ...["engines", "faults", "fuzzing", "mutation-testing", "benchmarks", "gateway-bench"],
    ...["dependencies", "limits"],
  ],
};
