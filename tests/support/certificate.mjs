/**
 * Certificates for servers that browsers are led to, which they are told not to look at too closely.
 *
 * @module
 */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError, execCapture } from "../../tools/lib/run.mjs";

/**
 * A key and a certificate, signed by itself.
 *
 * @param {string} folder Where both are put, as `name.key` and `name.pem`.
 * @param {string} name
 * @param {string[]} hosts
 * @returns {Promise<{ key: string, cert: string }>} PEM
 */
export async function newCertificate(folder, name, hosts) {
  const [key, cert] = [`${name}.key`, `${name}.pem`];
  const { ok, stderr } = execCapture(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", key, "-out", cert, "-days", "2", "-subj", `/CN=${hosts[0]}`],
      ...["-addext", `subjectAltName=${hosts.map((host) => `DNS:${host}`).join()}`],
    ],
    { cwd: folder },
  );
  if (!ok) throw new CliError(`openssl can't make a certificate:\n${stderr}`);
  const read = (/** @type {string} */ file) => readFile(join(folder, file), "utf8");
  return { key: await read(key), cert: await read(cert) };
}

/**
 * Makes a certificate of which nothing is left on the disk.
 *
 * @param {string[]} hosts
 * @returns {Promise<{ key: string, cert: string }>} PEM
 */
export async function certificateFor(hosts) {
  const folder = await mkdtemp(join(tmpdir(), "classlink-certificate-"));
  try {
    return await newCertificate(folder, "own", hosts);
  } finally {
    await rm(folder, { recursive: true });
  }
}
