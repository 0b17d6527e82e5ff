/** The state that a page keeps, for tests that search it. */

/**
 * Whatever a page of the application holds or shows, as texts by place. Runs in the page.
 *
 * @param {string} loginPrefix What the keys of pending logins begin with.
 * @returns {Promise<Record<string, string>>}
 */
export async function collectPageState(loginPrefix) {
  const stored = (storage, keep) =>
    JSON.stringify(Object.entries(storage).filter(([key]) => keep(key)));

  /** Every text within reach of the global object: members, maps, sets, buffers. Getters are left alone. */
  function reachable() {
    const texts = [];
    const seen = new Set();
    /** @type {any[]} */
    const waiting = [globalThis];
    const visit = (value) => {
      if (typeof value === "string") texts.push(value);
      else if (value !== null && /object|function/.test(typeof value)) waiting.push(value);
    };
    while (waiting.length) {
      const value = waiting.pop();
      if (seen.has(value)) continue;
      seen.add(value);
      if (value instanceof WebAssembly.Memory) visit(value.buffer);
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
        const bytes = new Uint8Array(ArrayBuffer.isView(value) ? value.buffer : value);
        texts.push(new TextDecoder("latin1").decode(bytes));
        continue;
      }
      if (value instanceof Map || value instanceof Set) [...value].flat().forEach(visit);
      for (const key of Reflect.ownKeys(value)) {
        if (typeof key === "string") texts.push(key);
        visit(Reflect.getOwnPropertyDescriptor(value, key)?.value);
      }
    }
    return texts.join("\n");
  }

  return {
    localStorage: stored(localStorage, () => true),
    sessionStorage: stored(sessionStorage, (key) => !key.startsWith(loginPrefix)),
    "the pending login": stored(sessionStorage, (key) => key.startsWith(loginPrefix)),
    indexedDB: JSON.stringify(await indexedDB.databases()),
    caches: JSON.stringify(await caches.keys()),
    cookies: document.cookie,
    "the address bar": location.href,
    history: JSON.stringify([
      history.state,
      // WebKit has no Navigation API: a page can't see where it was.
      ...(window.navigation?.entries() ?? []).map((entry) => [entry.url, entry.getState()]),
    ]),
    "the window's name": window.name,
    "the document": document.documentElement.outerHTML,
    requests: performance
      .getEntriesByType("resource")
      .map(({ name }) => name)
      .join("\n"),
    events: JSON.stringify(window.events),
    globals: reachable(),
  };
}
