// As Jest runs by default: what it tests is made CommonJS. With `--experimental-vm-modules` and no transform, it takes
// ES modules as they are.
const native = process.env.NODE_OPTIONS?.includes("vm-modules");

export default {
  testEnvironment: "jsdom",
  // The longest there is: the test that runs this has a time limit of its own.
  testTimeout: 2 ** 31 - 1,
  testMatch: ["<rootDir>/*.spec.mjs"],
  moduleFileExtensions: ["mjs", "js", "cjs", "json"],
  // The package is ES modules only: as for any such package, it must not be left out.
  transformIgnorePatterns: ["/node_modules/(?!classlink-spa/)"],
  transform: native ? {} : { "\\.m?js$": "./commonjs.cjs" },
};
