/**
 * Why this project takes what it takes: a sentence for everything that it names itself. `tools/dependencies.mjs` makes a
 * page of it, and fails where one is missing or left over.
 *
 * @module
 */

/** What is in the WebAssembly, or installed beside the package. @type {Record<string, string>} */
export const SHIPPED = {
  base64: "base64url for challenges, nonces and hashes",
  getrandom: "random bytes from the browser's `crypto.getRandomValues`",
  "gloo-net": "the headers of requests and answers",
  "js-sys": "JavaScript's own objects, for Rust",
  serde: "says how a person is written for JavaScript: no member that is not there",
  "serde-wasm-bindgen": "makes JavaScript's values of that",
  sha2: "SHA-256, SHA-384 and SHA-512 for the code challenge and `at_hash`, without waiting for a promise",
  talc: "an allocator 6.7 KB smaller than the usual one",
  "wasm-bindgen": "what Rust and JavaScript call each other by",
  "web-sys": "the browser's own interfaces, for Rust",
  "zeroizing-alloc": "wipes whatever is freed: tokens and verifiers pass through many buffers",
  jose: "the gateway: verifies ID tokens and seals the session. It has no dependencies, and no page loads it",
};

/** What builds and tests it, and reaches no user. @type {Record<string, string>} */
export const TOOLS = {
  // Rust
  base64: "fuzzing: base64url is compared with it",
  form_urlencoded: "tests: the form reader is compared with it",
  "libfuzzer-sys": "fuzzing: the fuzzer",
  proptest: "tests: generated input",
  ring: "tests: signs tokens, and checks signatures",
  serde_json: "tests: the JSON reader is compared with it",
  url: "fuzzing: URLs are compared with it",
  "wasm-bindgen-cli": "build: the glue, by the version that `Cargo.lock` pins",
  // npm
  "@auth0/auth0-spa-js": "conformance: a peer",
  "@biomejs/biome": "lint: formatting and rules of the scripts",
  "@cyclonedx/cyclonedx-library": "build: the bill of materials",
  "@sinonjs/fake-timers": "tests: a page's clock in WebKitGTK and in Node",
  "@testing-library/dom": "tests: finds elements in WebKitGTK and in Node",
  "@types/node": "build: types",
  "@types/react": "build: types",
  "@types/react-dom": "demo: types",
  "@vitejs/plugin-react": "demo",
  "@vitejs/plugin-vue": "demo",
  ajv: "tests: the bill of materials against its schema",
  "ajv-formats": "for ajv",
  "ajv-formats-draft2019": "for ajv",
  binaryen: "build: `wasm-opt`",
  esbuild: "build: bundles the scripts",
  express: "tests: the gateway in Express",
  jest: "tests: `classlink-spa/testing` in Jest",
  "jest-environment-jsdom": "the same",
  jsdom: "tests: the documents of pages in Node",
  "tough-cookie": "tests: the cookies of pages in Node",
  jose: "the gateway, and the tests' providers",
  "keycloak-js": "conformance: a peer",
  oauth4webapi: "conformance: a peer",
  "oidc-client-ts": "conformance: a peer",
  "oidc-provider": "the stand-in: the OpenID provider under it",
  oxlint: "lint: promises that are neither awaited nor caught",
  "oxlint-tsgolint": "for oxlint: TypeScript's types",
  "packageurl-js": "build: the bill of materials",
  "playwright-core": "tests: drives the browser",
  react: "demo and tests; an application's own otherwise",
  "react-dom": "demo and tests",
  "react-router": "demo",
  redis: "tests: the client that the gateway's store takes",
  "selenium-webdriver": "tests: drives WebKitGTK",
  "spdx-expression-parse": "build: the bill of materials",
  terser: "build: minifies the scripts",
  typedoc: "the API reference",
  "typedoc-plugin-markdown": "the same",
  typescript: "build: types",
  vite: "demo",
  vitest: "tests: `classlink-spa/testing` in Vitest",
  vue: "demo and tests; an application's own otherwise",
  "vue-router": "the same",
};
