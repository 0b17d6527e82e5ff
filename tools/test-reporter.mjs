/**
 * A reporter for `node:test` that hands each result to `lib/test-files.mjs` as one line of JSON on file descriptor 3, and
 * prints nothing.
 *
 * `node --test` and its reporters cannot run a file in several engines, print a file's results in one piece, or end a file
 * that is silent for too long.
 *
 * @module
 */

import { writeSync } from "node:fs";
import { Transform } from "node:stream";
import { inspect } from "node:util";

export default new Transform({
  writableObjectMode: true,
  transform({ type, data }, _encoding, done) {
    if (["test:dequeue", "test:start", "test:pass", "test:fail"].includes(type)) {
      const error = data.details?.error;
      const result = {
        type,
        name: data.name,
        nesting: data.nesting,
        suite: data.details?.type === "suite",
        skipped: data.skip !== undefined || data.todo !== undefined,
        // `true` if none was given.
        reason: [data.skip, data.todo].find((reason) => typeof reason === "string"),
        // A test that failed because of its subtests has nothing of its own to tell.
        failedInSubtest: error?.failureType === "subtestsFailed",
        error: error && inspect(error.cause ?? error),
      };
      writeSync(3, `${JSON.stringify(result)}\n`);
    }
    done();
  },
});
