// The Node example before the stand-in, over HTTP. The other platforms take longer: `npm run test:platforms`.

import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CHECKS, WITHOUT_FETCH_METADATA } from "./suite.mjs";
import { startWorld } from "./world.mjs";

const EXAMPLES = fileURLToPath(new URL("../../docs/examples/", import.meta.url));
let world;

before(async () => {
  world = await startWorld(() => [process.execPath, ["node.js"]], EXAMPLES);
});
after(() => world?.stop());

for (const [name, check] of Object.entries({ ...CHECKS, ...WITHOUT_FETCH_METADATA })) {
  test(name, () => check(world));
}
