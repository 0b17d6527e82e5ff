/** nginx, started without root in a folder of the test's own. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OPTIONAL } from "../../tools/lib/optional.mjs";
import { freePort } from "../../tools/lib/ports.mjs";
import { startProgram, untilReady } from "./program.mjs";

/** The folders that nginx would make as root. */
const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/**
 * Starts nginx with one server block on loopback.
 *
 * @param {string} folder where its files are
 * @param {object} options
 * @param {string} options.server what stands in the server block beside `listen`
 * @param {string} [options.http] what stands in the block around it
 * @param {string} [options.program]
 * @returns the program, and its origin
 */
export async function startNginx(
  folder,
  { server, http = "access_log off;", program: path = OPTIONAL.nginx.find() },
) {
  const port = await freePort();
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 2; pid ${folder}/nginx.pid; error_log stderr info;
events { worker_connections 512; }
http {
  ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  ${http}
  server { listen 127.0.0.1:${port}; ${server} }
}
`,
  );
  const args = ["-p", folder, "-c", "nginx.conf", "-e", "stderr"];
  const program = startProgram(String(path), args, { cwd: folder });
  const origin = `http://127.0.0.1:${port}`;
  try {
    await untilReady(program, origin, { anyStatus: true });
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { program, origin };
}
