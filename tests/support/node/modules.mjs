/**
 * ES modules in a page of its own realm, fetched as a browser fetches them. Needs Node's `--experimental-vm-modules`.
 *
 * @module
 */

import vm from "node:vm";

/**
 * @param {object} realm
 * @param {import("node:vm").Context} realm.context
 * @param {(url: string) => Promise<string>} realm.load The text of a module; rejects if it can't be fetched.
 */
export function createModuleLoader({ context, load }) {
  /** By URL. @type {Map<string, Promise<vm.SourceTextModule>>} */
  const modules = new Map();

  /** @param {string} source @param {string} url */
  function make(source, url) {
    return new vm.SourceTextModule(source, {
      context,
      identifier: url,
      initializeImportMeta: (meta) => {
        meta.url = url;
      },
      importModuleDynamically: async (specifier) =>
        evaluated(await fetched(new URL(specifier, url).href)),
    });
  }

  /** @param {string} url */
  function fetched(url) {
    let module = modules.get(url);
    if (!module) {
      module = load(url).then((source) => make(source, url));
      modules.set(url, module);
      // A browser asks again for a module that could not be fetched.
      module.catch(() => modules.delete(url));
    }
    return module;
  }

  /** @param {vm.SourceTextModule} module */
  async function evaluated(module) {
    if (module.status === "unlinked") {
      await module.link((specifier, { identifier }) =>
        fetched(new URL(specifier, identifier).href),
      );
    }
    await module.evaluate();
    return module;
  }

  return {
    /** Runs a module script. @param {string} source @param {string} url */
    run: async (source, url) => evaluated(make(source, url)),
    /** A dynamic import of a classic script. @param {string} specifier @param {string} base */
    import: async (specifier, base) => evaluated(await fetched(new URL(specifier, base).href)),
  };
}
