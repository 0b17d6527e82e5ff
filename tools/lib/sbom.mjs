/**
 * The package's bill of materials: a CycloneDX document that a school's or a vendor's scanner can read. It holds no time
 * and no serial number, so that the same sources make the same bytes.
 *
 * The document is made by CycloneDX's own library. Its generators for cargo and npm list what is installed, and not what
 * is in the WebAssembly and in the package.
 *
 * @module
 */

import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { PackageURL } from "packageurl-js";
import * as spdx from "spdx-expression-parse";
import { wantedRust } from "../setup.mjs";
import { crates, npmPackages, ownCrate } from "./dependencies.mjs";

/** @import { Dependency } from "./dependencies.mjs" */

/** The release of CycloneDX that it follows. */
export const SPEC = Spec.Spec1dot6;

const licenses = new Contrib.License.Factories.LicenseFactory(spdx.default ?? spdx);

/** @param {Dependency} dependency */
function component({ from, name, version, license, digest }) {
  const purl = new PackageURL(from, undefined, name, version, undefined, undefined).toString();
  return new Models.Component(Enums.ComponentType.Library, name, {
    ...{ version, purl, bomRef: purl },
    hashes: new Models.HashDictionary([
      [/** @type {Enums.HashAlgorithm} */ (digest.algorithm), digest.hex],
    ]),
    licenses: new Models.LicenseRepository([licenses.makeFromString(license)]),
  });
}

/** The standard library is compiled into the WebAssembly, and comes with the compiler. */
function standardLibrary() {
  const { channel: version } = wantedRust();
  const purl = new PackageURL("generic", undefined, "rust", version, undefined, undefined);
  return new Models.Component(Enums.ComponentType.Library, "rust", {
    ...{ version, purl: purl.toString(), bomRef: purl.toString() },
    description: "Rust's standard library",
    licenses: new Models.LicenseRepository([licenses.makeFromString("MIT OR Apache-2.0")]),
  });
}

/**
 * Makes the bill of materials of the package as the lock files have it.
 *
 * @returns {string} JSON
 */
export function makeSbom() {
  const { version } = ownCrate();
  const purl = new PackageURL("npm", undefined, "classlink-spa", version, undefined, undefined);
  const own = new Models.Component(Enums.ComponentType.Library, "classlink-spa", {
    ...{ version, purl: purl.toString(), bomRef: purl.toString() },
    licenses: new Models.LicenseRepository([licenses.makeFromString("Apache-2.0")]),
  });
  const dependencies = [...crates(), ...npmPackages()];
  const byName = new Map(dependencies.map((one) => [one.name, component(one)]));
  const standard = standardLibrary();
  own.dependencies.add(standard.bomRef);
  for (const { name, needs, direct } of dependencies) {
    const { bomRef, dependencies } = /** @type {Models.Component} */ (byName.get(name));
    if (direct) own.dependencies.add(bomRef);
    for (const needed of needs)
      dependencies.add(/** @type {Models.Component} */ (byName.get(needed)).bomRef);
  }
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: own }),
    components: new Models.ComponentRepository([...byName.values(), standard]),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(SPEC));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
