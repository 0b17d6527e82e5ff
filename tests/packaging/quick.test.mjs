// The packed package as users install it: the quick ones of `npm run test:packaging`, which tries many more.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pack } from "../../tools/lib/temp-project.mjs";
import { layOutProject, PROJECTS } from "./projects.mjs";

const QUICK = ["files", "node", "plain", "vite-preload", "create-react"];

let root;
let packed;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "classlink-packaging-"));
  packed = pack(root);
});
after(() => rm(root, { recursive: true, force: true }));

for (const project of PROJECTS.filter(({ name }) => QUICK.includes(name))) {
  describe(project.name, () => {
    let folder;
    before(async () => {
      folder = join(root, project.name);
      await layOutProject(project, folder, packed);
    });

    for (const { name, prepare, start, checks } of project.trials) {
      describe(name, () => {
        let world;
        before(async () => {
          await prepare?.(folder);
          world = await start(folder, packed);
        });
        after(() => world?.stop());

        for (const [what, check] of Object.entries(checks)) test(what, () => check(world));
      });
    }
  });
}
