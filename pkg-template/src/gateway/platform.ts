/**
 * Node's own modules if the runtime has them (Node, Deno, Bun, Workers with `nodejs_compat`): their cryptography and
 * compression are synchronous, which saves most of a session request's time. Elsewhere web standards do the same.
 */

type NodeCrypto = typeof import("node:crypto");
type NodeZlib = typeof import("node:zlib");

/** A module of Node's; `undefined` if the runtime has none. Not imported: bundlers for other runtimes would fail on it. */
function builtinModule<T>(name: string): T | undefined {
  try {
    const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
    return process?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined;
  }
}

/** `node:crypto`, if it has what is used of it. */
export const nodeCrypto: NodeCrypto | undefined = (() => {
  const module = builtinModule<NodeCrypto>("node:crypto");
  return typeof module?.createCipheriv === "function" && typeof module.createHash === "function"
    ? module
    : undefined;
})();

/** `node:zlib`, if it has what is used of it. */
export const nodeZlib: NodeZlib | undefined = (() => {
  const module = builtinModule<NodeZlib>("node:zlib");
  return typeof module?.deflateRawSync === "function" ? module : undefined;
})();
