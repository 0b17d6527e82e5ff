/**
 * How much of the WebAssembly each crate takes: the bytes of its functions, after wasm-opt, by the names that the compiler
 * gave them.
 *
 * Twiggy lists functions; here they are summed up by crate.
 *
 * A generic function counts for the crate that wrote it, and what was inlined for the crate that it was inlined into: the
 * numbers say where the bytes are, not what would be saved without a crate.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindWasm, optimiseWasm } from "../build.mjs";

/** Ids of sections: WebAssembly Core Specification, 5.5.2. */
const CUSTOM = 0;
const IMPORT = 2;
const CODE = 10;

/** The part of the custom section `name` that names functions: the same, 7.4.1. */
const FUNCTION_NAMES = 1;

const FUNCTION_IMPORT = 0;

/** The crates of the standard library, as the names of functions begin. */
const STANDARD = ["core", "alloc", "std", "compiler_builtins", "hashbrown", "rustc_demangle"];

/** Reads a module's bytes in order. */
class Reader {
  #bytes;
  at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  get done() {
    return this.at >= this.#bytes.length;
  }

  byte() {
    return this.#bytes[this.at++];
  }

  /** A whole number, as LEB128. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(length = this.number()) {
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  text() {
    return new TextDecoder().decode(this.take());
  }
}

/**
 * Weighs a module's functions.
 *
 * @param {Uint8Array} bytes A module with names.
 * @returns {{ name: string, bytes: number }[]}
 */
function functions(bytes) {
  const module = new Reader(bytes.subarray(8));
  let imported = 0;
  /** @type {number[]} */
  const sizes = [];
  /** @type {Map<number, string>} */
  const names = new Map();
  while (!module.done) {
    const id = module.byte();
    const section = new Reader(module.take());
    if (id === IMPORT) imported = functionImports(section);
    if (id === CODE) for (let n = section.number(); n > 0; n--) sizes.push(section.take().length);
    if (id !== CUSTOM || section.text() !== "name") continue;
    while (!section.done) {
      const part = section.byte();
      const content = new Reader(section.take());
      if (part !== FUNCTION_NAMES) continue;
      for (let n = content.number(); n > 0; n--) names.set(content.number(), content.text());
    }
  }
  return sizes.map((bytes, index) => ({ name: names.get(imported + index) ?? "", bytes }));
}

/** @param {Reader} section */
function functionImports(section) {
  let functions = 0;
  for (let n = section.number(); n > 0; n--) {
    section.take();
    section.take();
    const kind = section.byte();
    if (kind !== FUNCTION_IMPORT) throw new Error(`An import of kind ${kind} is not expected.`);
    section.number();
    functions += 1;
  }
  return functions;
}

/**
 * Weighs the crates of what was built last.
 *
 * @param {readonly string[]} crates Their names, with hyphens as they are published.
 * @returns {Promise<Record<string, number>>} Bytes of machine code, before compression, by crate; `std` is the standard
 * library, and `other` what carries no crate's name: the glue's own functions.
 */
export async function weighCrates(crates) {
  const folder = mkdtempSync(join(tmpdir(), "classlink-weights-"));
  try {
    await bindWasm(join(folder, "bound"));
    const named = join(folder, "named.wasm");
    await optimiseWasm(join(folder, "bound"), named, ["--debuginfo"]);
    const known = new Map([
      ...crates.map((name) => /** @type {const} */ ([name.replaceAll("-", "_"), name])),
      ...STANDARD.map((name) => /** @type {const} */ ([name, "std"])),
    ]);
    /** @type {Record<string, number>} */
    const weights = {};
    for (const { name, bytes } of functions(readFileSync(named))) {
      // `<crate::Type as other::Trait>::method`: whose type it is. A type of the standard library gives way to a trait.
      const paths = [...name.matchAll(/(?<![\w:])(\w+)(?:\[[0-9a-f]+\])?::/g)].map(
        ([, path]) => path,
      );
      const owners = paths.map((path) => known.get(path)).filter((owner) => owner !== undefined);
      const owner = owners.find((owner) => owner !== "std") ?? owners[0] ?? "other";
      weights[owner] = (weights[owner] ?? 0) + bytes;
    }
    return weights;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
