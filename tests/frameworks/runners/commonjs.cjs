/** What Babel, SWC or ts-jest would do in an application: makes an ES module CommonJS. */

const { transformSync } = require("esbuild");

module.exports = {
  process: (source) => ({ code: transformSync(source, { format: "cjs", target: "node20" }).code }),
};
