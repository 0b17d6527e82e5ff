/** A server for a folder of files, as a single-page application has one. */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { closeServer } from "../support/serve.mjs";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves a folder; a path without a file gets `index.html`, as client-side routing needs it.
 *
 * @param {string} folder
 * @param {number} port
 * @returns {Promise<{ stop: () => Promise<void> }>}
 */
export async function serveFolder(folder, port) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://app.invalid");
    const path = join(folder, decodeURIComponent(pathname));
    const isFile =
      path.startsWith(folder + sep) && (await stat(path).catch(() => undefined))?.isFile();
    // A script or a `.wasm` that isn't there must not come as a page.
    if (!isFile && extname(pathname)) return void response.writeHead(404).end();
    const file = isFile ? path : join(folder, "index.html");
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    if (request.method === "HEAD") return void response.end();
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  return { stop: () => closeServer(server) };
}
