/**
 * Fits wasm-bindgen's glue to this package: shorter, for the browsers that the package supports and the one way in which
 * it is used, and listening for panics. Each replacement must match, so that another wasm-bindgen's glue fails the build.
 *
 * Saves 3.0 KB (brotli) against the generated glue.
 *
 * @module
 */

import { CliError } from "./run.mjs";

/**
 * @param {string} glue as wasm-bindgen wrote it
 * @param {{ imports: [string, string, string][], exports: [string, string][] }} names the short names that wasm-opt
 *   gave: module, name and short name
 */
export function patchGlue(glue, names) {
  return withShortNames(withTrapListener(withoutUnused(glue)) + ADDITIONS, names);
}

/** The exports of the glue beyond wasm-bindgen's own; `Glue` in `core.ts` says what each does. */
export const ADDED_TYPES = `export function start(source: Response | BufferSource): Promise<void>;
export function setPanicListener(listener: () => void): void;
`;

const ADDITIONS = `
export async function start(source) {
    cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
    cachedTextEncoder = new TextEncoder();
    const { instance, module } = await __wbg_load(source, __wbg_get_imports());
    __wbg_finalize_init(instance, module);
}
let panicListener;
export function setPanicListener(listener) {
    panicListener = listener;
}
function withTrapReporting(exports) {
    const listened = {};
    for (const name in exports) {
        const value = exports[name];
        listened[name] = typeof value !== "function" ? value : (...args) => {
            try {
                return value(...args);
            } catch (error) {
                panicListener?.();
                throw error;
            }
        };
    }
    return listened;
}
function checkedPointer(object) {
    if (object.__wbg_inst !== __wbg_instance_id) {
        throw new Error("an object of an instance that has panicked");
    }
    return object.__wbg_ptr;
}
function storeException(f) {
    return (...args) => {
        try {
            return f(...args);
        } catch (error) {
            wasm.__wbindgen_exn_store(addToExternrefTable0(error));
        }
    };
}
function passString(text) {
    const bytes = cachedTextEncoder.encode(text);
    WASM_VECTOR_LEN = bytes.length;
    const ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN, 1) >>> 0;
    new Uint8Array(wasm.memory.buffer).set(bytes, ptr);
    return ptr;
}
function returnString(to, ptr) {
    new Uint32Array(wasm.memory.buffer, to >>> 0, 2).set([ptr, WASM_VECTOR_LEN]);
}
`;

/** Without what no supported browser needs, what the scripts never call, and what is said once too often. */
function withoutUnused(glue) {
  let text = glue;
  // Only ever called off: nothing asks for a new instance from inside.
  text = replaceOnce(text, /let __wbg_reinit_scheduled = false;\n/, "");
  text = replaceOnce(text, / *__wbg_reinit_scheduled = false;\n/, "");
  text = replaceOnce(text, /function __wbg_call_guard\(\) \{[^}]*\}[^}]*\}\n/, "");
  text = replaceAll(text, / *__wbg_call_guard\(\);\n/g, "");
  // Objects are freed when JavaScript's own are collected.
  text = replaceAll(text, / {4}__destroy_into_raw\(\) \{[^}]*\}\n/g, "");
  text = replaceAll(text, / {4}free\(\) \{[^}]*\}\n/g, "");
  text = replaceAll(text, /^if \(Symbol\.dispose\) .*\n/gm, "");
  text = replaceAll(
    text,
    /\(typeof FinalizationRegistry === 'undefined'\)[^:]*: \(\) => \{\}[^:]*: \(\) => \{\} \}\s*: new/g,
    "/* @__PURE__ */ new",
  );
  // Every object knows its instance, and one function asks for it.
  text = replaceAll(text, / *if \(this\.__wbg_inst !== undefined .*\n.*\n *\}\n/g, "");
  text = replaceAll(text, /(wasm\.\w+\()this\.__wbg_ptr/g, "$1checkedPointer(this)");
  text = replaceAll(
    text,
    /Object\.defineProperty\((\w+), '__wbg_inst', [^;]*;/g,
    "$1.__wbg_inst = __wbg_instance_id;",
  );
  // Views of the memory are made for each access, so there is no cached view to drop.
  text = replaceAll(text, /^(?:let )? *cached\w+Memory0 = null;\n/gm, "");
  text = replaceOnce(
    text,
    /(function getUint8ArrayMemory0\(\) \{\n)[^}]*\}[^}]*\}/,
    "$1    return new Uint8Array(wasm.memory.buffer);\n}",
  );
  // Strings in and out.
  text = replaceAll(
    text,
    /passStringToWasm0\((\w+), wasm\.__wbindgen_malloc, wasm\.__wbindgen_realloc\)/g,
    "passString($1)",
  );
  // Without memory for them the module panics: nothing is left to be freed.
  text = replaceAll(
    text,
    / {8}try \{\n((?: {12}(?:ptr|len)\d .*\n)+) {8}\} catch \(e\) \{\n(?: {12}.*\n)+ {8}\}\n/g,
    "$1",
  );
  text = replaceAll(
    text,
    /(?:const|var) ptr1 = (.*passString\(ret\));\n.*WASM_VECTOR_LEN;\n.*setInt32\(.*4 \* 1, len1, true\);\n.*setInt32\(.*4 \* 0, ptr1, true\);/g,
    "returnString(arg0, $1);",
  );
  // Made when they are needed: if an application's own tests import the package, in jsdom, there are neither.
  text = replaceOnce(
    text,
    /(let cachedTextDecoder) = new TextDecoder\(.*\);\n.*\.decode\(\);/,
    "$1;",
  );
  text = replaceOnce(text, /const (cachedTextEncoder) = new TextEncoder\(\);/, "let $1;");
  // Safari's decoder fails after two gigabytes of text, which no sign-in reads.
  text = replaceOnce(text, / *if \(typeof numBytesDecoded .*\n/, "");
  text = replaceOnce(text, / *if \(typeof WASM_VECTOR_LEN .*\n/, "");
  text = replaceOnce(text, / {4}numBytesDecoded \+= .*?\n {4}\}\n/s, "");
  // The scripts have seen to that.
  text = replaceOnce(text, / {8}if \(!module\.ok\) \{.*?\n {8}\}\n/s, "");
  // What may throw is wrapped by one function, and every import is an arrow.
  text = replaceAll(
    text,
    /function\(\) \{ return handleError\(function \(([^)]*)\) \{(.*?)\n {8}\}, arguments\); \},/gs,
    "storeException(($1) => {$2\n        }),",
  );
  return replaceAll(text, /^( {8}\S+): function\(([^)]*)\) \{/gm, "$1: ($2) => {");
}

/** The glue whose exports report a panic: a trap, which ends the call from JavaScript that it occurred in. */
function withTrapListener(glue) {
  return replaceAll(glue, /wasm = (\w+)\.exports;/g, "wasm = withTrapReporting($1.exports);");
}

/** The glue with the short names that wasm-opt gave to imports and exports. */
function withShortNames(glue, { imports, exports }) {
  let text = replaceOnce(glue, /"\.\/\w+\.js": import0/, "a: import0");
  for (const [, name, short] of imports) {
    text = replaceOnce(text, new RegExp(`^ {8}${name}: `, "m"), `        ${short}: `);
  }
  const shortOf = new Map(exports);
  return text.replace(/\bwasm\.(\w+)/g, (whole, name) => {
    const short = shortOf.get(name);
    if (!short)
      throw new CliError(`The glue uses ${whole}, which the WebAssembly does not export.`);
    return `wasm.${short}`;
  });
}

function replaceOnce(text, pattern, replacement) {
  const found = text.match(new RegExp(pattern.source, `${pattern.flags}g`))?.length ?? 0;
  if (found !== 1) {
    throw new CliError(`wasm-bindgen's glue has ${found} times what is to be replaced: ${pattern}`);
  }
  return text.replace(pattern, replacement);
}

function replaceAll(text, pattern, replacement) {
  if (!pattern.test(text)) {
    throw new CliError(`wasm-bindgen's glue lacks what is to be replaced: ${pattern}`);
  }
  return text.replace(pattern, replacement);
}
