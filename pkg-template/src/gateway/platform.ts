/**
 * Node's own modules if the runtime has them (Node, Deno, Bun, Workers with `nodejs_compat`): their cryptography and
 * compression are synchronous, which saves most of a session request's time. Elsewhere web standards do the same.
 */

type NodeCrypto = typeof import("node:crypto");
type NodeZlib = typeof import("node:zlib");

/** Returns a module of Node; `undefined` if the runtime has none. An import would fail in bundlers for other runtimes. */
function builtinModule<T>(name: string): T | undefined {
  try {
    const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
    return process?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined;
  }
}

/** `node:crypto`, if it has the functions that are used. */
export const nodeCrypto: NodeCrypto | undefined = (() => {
  const module = builtinModule<NodeCrypto>("node:crypto");
  return typeof module?.createCipheriv === "function" && typeof module.createHash === "function"
    ? module
    : undefined;
})();

/** `node:zlib`, if it has the functions that are used. */
export const nodeZlib: NodeZlib | undefined = (() => {
  const module = builtinModule<NodeZlib>("node:zlib");
  return typeof module?.deflateRawSync === "function" ? module : undefined;
})();
