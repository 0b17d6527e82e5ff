/** Loaded before the linter: its packages get the TypeScript beside this file, wherever npm has put them. */

const Module = require("node:module");

const resolve = Module._resolveFilename;
const typescript = resolve("typescript", module);
Module._resolveFilename = (request, ...rest) =>
  resolve.call(Module, request === "typescript" ? typescript : request, ...rest);
