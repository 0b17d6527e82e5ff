/** Reads secrets from the environment, or from files that it names. */

import { readFileSync } from "node:fs";

/**
 * Reads a secret from the environment: the variable itself, or the file that the variable with the suffix `_FILE` names, as
 * container platforms mount secrets. Without either it is empty, which `createGateway` refuses by the option's name.
 *
 * ```ts
 * clientSecret: readSecret("CLASSLINK_CLIENT_SECRET"),    // or CLASSLINK_CLIENT_SECRET_FILE
 * sealingKeys: readSecret("SEALING_KEYS").split(/\s+/),    // or SEALING_KEYS_FILE
 * ```
 *
 * @throws TypeError if both are set, or the file cannot be read.
 */
export function readSecret(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const value = env[name] ?? "";
  const file = env[`${name}_FILE`] ?? "";
  if (file === "") return value;
  if (value !== "") {
    throw new TypeError(`readSecret: ${name} and ${name}_FILE are both set; keep one`);
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new TypeError(`readSecret: the file that ${name}_FILE names cannot be read: ${code}`);
  }
}
