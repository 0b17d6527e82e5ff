/**
 * The exact versions that the packed package is tried with: the newest that run on the oldest Node the package allows.
 */

export const VERSIONS = {
  "@arethetypeswrong/cli": "0.18.5",
  "@rollup/plugin-node-resolve": "16.0.3",
  "@rspack/cli": "2.2.8",
  "@rspack/core": "2.3.3",
  "@types/node": "20.19.43",
  "@types/react": "19.3.0",
  "@vitejs/plugin-react": "6.3.0",
  "@vitejs/plugin-vue": "6.0.11",
  esbuild: "0.28.2",
  jest: "30.5.2",
  "jest-environment-jsdom": "30.5.2",
  jsdom: "26.1.0",
  next: "16.4.6",
  nuxt: "4.4.2",
  parcel: "2.16.4",
  publint: "0.3.25",
  react: "19.3.1",
  "react-dom": "19.3.1",
  rollup: "4.68.8",
  typescript: "7.0.2",
  "typescript-5": "npm:typescript@5.9.3",
  vite: "8.3.8",
  "vite-7": "npm:vite@7.3.8",
  vitest: "4.1.12",
  vue: "3.5.45",
  "vue-router": "4.6.5",
  webpack: "5.112.2",
  "webpack-cli": "7.3.1",
};

/**
 * @param {...(keyof typeof VERSIONS)} names
 * @returns {Record<string, string>} what a project's `package.json` says of them
 */
export const pinned = (...names) => Object.fromEntries(names.map((name) => [name, VERSIONS[name]]));
