/**
 * Storage that refuses: every access of a page is counted, and one of them, or all from one on, throws what browsers throw.
 * What tabs talk by counts, too: a browser that blocks a site's storage refuses channels and locks as well.
 *
 * @module
 */

/** Runs in every page before anything else. `storageHand` arms it, and tells what was accessed. */
export const STORAGE_SCRIPT = `(${script})();`;

function script() {
  const hand = {
    /** @type {string[]} */
    accesses: [],
    /** @type {{ at?: number, lasting?: boolean, hold?: boolean } | undefined} */
    armed: undefined,
    counting: false,
  };
  const refuse = (what) => {
    const full = what.includes("setItem");
    throw new DOMException("Refused by the test", full ? "QuotaExceededError" : "SecurityError");
  };
  /** Counts an access; `armed` is `{ at, lasting, hold }`. */
  const access = (/** @type {string} */ what) => {
    if (!hand.counting) return;
    hand.accesses.push(what);
    const { at = Number.NaN, lasting, hold } = hand.armed ?? {};
    const hit = lasting ? hand.accesses.length >= at : hand.accesses.length === at;
    if (!hit) return;
    if (hold) {
      // The page stands still in the middle of its script, until it is closed.
      const request = new XMLHttpRequest();
      request.open("GET", "/held", false);
      request.send();
    } else refuse(what);
  };
  const stores = new WeakMap();
  for (const name of ["sessionStorage", "localStorage"]) {
    const { get } = /** @type {{ get: () => any }} */ (
      Object.getOwnPropertyDescriptor(window, name)
    );
    try {
      stores.set(get.call(window), name);
    } catch {
      // A blank page has none.
    }
    Object.defineProperty(window, name, {
      configurable: true,
      get() {
        access(name);
        return get.call(window);
      },
    });
  }
  for (const name of ["getItem", "setItem", "removeItem", "key"]) {
    const own = Storage.prototype[name];
    Storage.prototype[name] = function (...args) {
      access(`${stores.get(this)}.${name}`);
      return own.apply(this, args);
    };
  }
  const { get: length } = /** @type {{ get: () => number }} */ (
    Object.getOwnPropertyDescriptor(Storage.prototype, "length")
  );
  Object.defineProperty(Storage.prototype, "length", {
    get() {
      access(`${stores.get(this)}.length`);
      return length.call(this);
    },
  });
  const Channel = window.BroadcastChannel;
  window.BroadcastChannel = class extends Channel {
    constructor(name) {
      access("BroadcastChannel");
      super(name);
    }
    postMessage(message) {
      access("BroadcastChannel.postMessage");
      super.postMessage(message);
    }
  };
  // Only a secure page has locks; a blank one isn't.
  const locks = window.LockManager?.prototype;
  if (locks) {
    const { request } = locks;
    Object.assign(locks, {
      /** @type {LockManager["request"]} */
      request: async function (/** @type {any[]} */ ...args) {
        access("locks.request");
        return request.apply(this, /** @type {any} */ (args));
      },
    });
  }
  Object.assign(window, { storageHand: hand });
}
