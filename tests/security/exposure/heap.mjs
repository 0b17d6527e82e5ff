/**
 * Reads a page's memory, as Chromium's DevTools see it: the strings of its JavaScript heap, and the bytes of its
 * buffers and of its WebAssembly. Nothing is patched for it, and the page's scripts notice nothing.
 *
 * @module
 */

/** @import { CDPSession, Page } from "playwright-core" */

/**
 * A page's memory at one moment, after a garbage collection.
 *
 * @typedef {object} Memory
 * @property {HeapString[]} strings Every string of the JavaScript heap.
 * @property {Buffer[]} buffers Every `ArrayBuffer` but the WebAssembly's.
 * @property {Buffer[]} wasm Every `WebAssembly.Memory`.
 */

/**
 * A string; `reachable` says whether a script gets to it from the global object, by members alone. What only a closure
 * or the engine holds isn't.
 *
 * @typedef {{ text: string, reachable: boolean }} HeapString
 */

/** A Chromium with this switch cuts no string short in its snapshots. */
export const WHOLE_STRINGS = "--js-flags=--heap-snapshot-string-limit=1000000";

/**
 * Looks into a page's memory.
 *
 * @param {Page} page
 * @returns {Promise<Memory>}
 */
export async function memoryOf(page) {
  const cdp = await page.context().newCDPSession(page);
  try {
    const strings = await stringsOf(cdp);
    const wasm = await bytesOf(cdp, "WebAssembly.Memory", "new Uint8Array(it.buffer)");
    const all = await bytesOf(cdp, "ArrayBuffer", "new Uint8Array(it.detached ? 0 : it)");
    const isWasm = (/** @type {Buffer} */ bytes) => wasm.some((memory) => memory.equals(bytes));
    return { strings, wasm, buffers: all.filter((bytes) => !isWasm(bytes)) };
  } finally {
    await cdp.detach();
  }
}

/**
 * The bytes of every object of a class, wherever it is.
 *
 * @param {CDPSession} cdp
 * @param {string} name The class.
 * @param {string} bytes An expression: the bytes of `it`, as a `Uint8Array`.
 * @returns {Promise<Buffer[]>}
 */
async function bytesOf(cdp, name, bytes) {
  const objectGroup = "memory";
  const { result } = await cdp.send("Runtime.evaluate", {
    expression: `${name}.prototype`,
    objectGroup,
  });
  const { objects } = await cdp.send("Runtime.queryObjects", {
    prototypeObjectId: /** @type {string} */ (result.objectId),
    objectGroup,
  });
  const answer = await cdp.send("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    returnByValue: true,
    // In pieces that base64 writes without padding.
    functionDeclaration: `function () {
      return this.map((it) => {
        const bytes = ${bytes};
        let text = "";
        for (let at = 0; at < bytes.length; at += 8190) {
          text += btoa(String.fromCharCode(...bytes.subarray(at, at + 8190)));
        }
        return text;
      });
    }`,
  });
  await cdp.send("Runtime.releaseObjectGroup", { objectGroup });
  if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description);
  return answer.result.value.map((/** @type {string} */ text) => Buffer.from(text, "base64"));
}

/**
 * The strings of the JavaScript heap. The format of a snapshot is described in V8's `heap-snapshot-generator.cc`: nodes
 * and edges are rows of numbers, and the edges follow one another in the order of their nodes.
 *
 * @param {CDPSession} cdp
 * @returns {Promise<HeapString[]>}
 */
async function stringsOf(cdp) {
  /** @type {string[]} */
  const chunks = [];
  cdp.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => chunks.push(chunk));
  await cdp.send("HeapProfiler.collectGarbage");
  await cdp.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  const { nodes, edges, strings, snapshot } = JSON.parse(chunks.join(""));
  const node = fields(snapshot.meta.node_fields);
  const edge = fields(snapshot.meta.edge_fields);
  const nodeTypes = snapshot.meta.node_types[node.type];
  const edgeTypes = snapshot.meta.edge_types[edge.type];

  const count = nodes.length / node.size;
  const firstEdge = [0];
  for (let at = 0; at < count; at++) {
    firstEdge.push(firstEdge[at] + nodes[at * node.size + node.edge_count] * edge.size);
  }
  const typeOf = (/** @type {number} */ at) => nodeTypes[nodes[at * node.size + node.type]];
  const nameOf = (/** @type {number} */ at) => strings[nodes[at * node.size + node.name]];

  const reached = new Set(
    Array.from({ length: count }, (_, at) => at).filter((at) => /^Window\b/.test(nameOf(at))),
  );
  // What is added while this runs has its turn, too.
  for (const at of reached) {
    // The contents of these are not members, but a script can list them.
    const lists = /^(Map|Set)$/.test(nameOf(at)) || typeOf(at) === "array";
    if (!lists && !/^(object|closure|regexp|concatenated string)$/.test(typeOf(at))) continue;
    for (let e = firstEdge[at]; e < firstEdge[at + 1]; e += edge.size) {
      const isMember = /^(property|element)$/.test(edgeTypes[edges[e + edge.type]]);
      if (isMember || lists) reached.add(edges[e + edge.to_node] / node.size);
    }
  }

  const found = [];
  for (let at = 0; at < count; at++) {
    if (/string$/.test(typeOf(at))) found.push({ text: nameOf(at), reachable: reached.has(at) });
  }
  return found;
}

/**
 * The places of a row's fields by name, and how many it has.
 *
 * @param {string[]} names
 * @returns {Record<string, number>}
 */
function fields(names) {
  return { ...Object.fromEntries(names.map((name, at) => [name, at])), size: names.length };
}

/** How much of a secret must be somewhere to count, in characters. */
const PIECE = 16;

/** A secret's pieces. If one is found, the secret is. @param {string} secret */
function piecesOf(secret) {
  const all = secret.match(new RegExp(`.{${PIECE}}`, "g"));
  return all ?? [secret];
}

/**
 * How often a secret is in a page's memory, or a piece of it: `script` strings that scripts get to by members, `heap` others,
 * `buffers`, and `wasm`: places in the WebAssembly's memory.
 *
 * @param {Memory} memory
 * @param {string} secret
 */
export function copiesOf({ strings, buffers, wasm }, secret) {
  const pieces = piecesOf(secret);
  const holds = (/** @type {{ includes: (piece: string) => boolean }} */ text) =>
    pieces.some((piece) => text.includes(piece));
  const found = strings.filter(({ text }) => holds(text));
  const script = found.filter(({ reachable }) => reachable).length;
  return {
    script,
    heap: found.length - script,
    buffers: buffers.filter(holds).length,
    wasm: wasm.reduce(
      (sum, bytes) => sum + Math.max(...pieces.map((piece) => occurrences(bytes, piece))),
      0,
    ),
  };
}

/** @param {Buffer} bytes @param {string} piece */
function occurrences(bytes, piece) {
  let count = 0;
  for (let at = bytes.indexOf(piece); at >= 0; at = bytes.indexOf(piece, at + 1)) count++;
  return count;
}
