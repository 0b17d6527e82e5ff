/** A script that gets onto the page and tampers with the platform. Everything here runs in the page. */

/**
 * Makes `window.thief`. `install()` tampers with everything at once, each way with a sack of its own; `look()` puts in what
 * is in the WebAssembly's memory, if a way leads there; `stop()` ends it all; `found(secrets)` tells which of these
 * `[name, text]` are in which sack. What the thief needs himself he takes before he tampers.
 */
export function makeThief() {
  const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { then } = Promise.prototype;
  const { clone, text } = Response.prototype;
  const bufferOf = getOwnPropertyDescriptor(WebAssembly.Memory.prototype, "buffer")?.get;
  const { Memory } = WebAssembly;
  const { btoa } = window;
  const { fromCharCode } = String;
  const NativeUint8Array = Uint8Array;
  /** Bytes as text, a character each. */
  const decode = (buffer, offset = 0, length = buffer.byteLength) => {
    const bytes = new NativeUint8Array(buffer, offset, length);
    let written = "";
    for (let at = 0; at < length; at++) written += fromCharCode(bytes[at]);
    return written;
  };
  const sacks = {};
  /** While the thief is at work itself, nothing is tampered with. */
  let busy = false;

  const quietly = (work) => {
    if (busy) return;
    busy = true;
    try {
      work();
    } catch {
      // A thief makes no noise.
    } finally {
      busy = false;
    }
  };

  function put(sack, value, depth, seen) {
    if (typeof value === "string") return void sack.texts.add(value);
    if (typeof value !== "object" || value === null || depth > 5 || seen.has(value)) return;
    seen.add(value);
    const more = (inner) => put(sack, inner, depth + 1, seen);
    if (value instanceof Promise) return void apply(then, value, [(v) => note(sack, v), () => {}]);
    if (value instanceof Memory) return void sack.memories.add(value);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const view = ArrayBuffer.isView(value) ? value : undefined;
      const buffer = view?.buffer ?? /** @type {ArrayBuffer} */ (value);
      // Only the WebAssembly's memory is as large.
      if (buffer.byteLength > 1_000_000) return void sack.buffers.add(buffer);
      const bytes = decode(buffer, view?.byteOffset, value.byteLength);
      sack.texts.add(bytes);
      // Random bytes, as they are written: base64url.
      sack.texts.add(btoa(bytes).replaceAll("+", "-").replaceAll("/", "_"));
      return;
    }
    if (value instanceof Response) {
      if (value.bodyUsed) return;
      void apply(then, apply(text, apply(clone, value, []), []), [(v) => note(sack, v), () => {}]);
      return;
    }
    if (value instanceof Request) return void [value.url, value.headers].forEach(more);
    if (value instanceof Headers) return void value.forEach(more);
    if (value instanceof URL) return more(value.href);
    if (value instanceof WebAssembly.Instance) return void more(value.exports);
    for (const key of ownKeys(value)) more(getOwnPropertyDescriptor(value, key)?.value);
  }
  const note = (sack, ...values) =>
    quietly(() => {
      for (const value of values) put(sack, value, 0, new Set());
    });

  /** A function that does what it did, and lets the thief see its object, arguments and result. */
  function hook(sack, owner, key) {
    const original = getOwnPropertyDescriptor(owner, key)?.value;
    if (typeof original !== "function") return;
    const tampered = new Proxy(original, {
      apply(target, self, args) {
        note(sack, self, args);
        const result = apply(target, self, args);
        note(sack, result);
        return result;
      },
      construct(target, args, newTarget) {
        note(sack, args);
        const result = construct(target, args, newTarget === tampered ? target : newTarget);
        note(sack, result);
        return result;
      },
    });
    defineProperty(owner, key, { value: tampered, configurable: true, writable: true });
  }
  const hooks =
    (owner, ...keys) =>
    (sack) => {
      for (const key of keys) hook(sack, owner, key);
    };

  /** Values that pass through a callback. */
  const overheard = (sack, callback) =>
    typeof callback !== "function"
      ? callback
      : (value) => {
          note(sack, value);
          return callback(value);
        };

  const tamperings = {
    "`fetch`": hooks(window, "fetch"),
    "`Request`, `Headers.prototype.set`": (sack) => {
      hook(sack, window, "Request");
      hook(sack, Headers.prototype, "set");
    },
    "`Response.prototype.text`, `json`, `arrayBuffer`": hooks(
      Response.prototype,
      ...["text", "json", "arrayBuffer"],
    ),
    "`ReadableStreamDefaultReader.prototype.read`": hooks(
      ReadableStreamDefaultReader.prototype,
      "read",
    ),
    "`Promise.prototype.then`": (sack) => {
      // biome-ignore lint/suspicious/noThenProperty: that is the tampering
      Promise.prototype.then = function (fulfilled, rejected) {
        return apply(then, this, [overheard(sack, fulfilled), rejected]);
      };
    },
    "`Promise`": (sack) => {
      const tampered = new Proxy(Promise, {
        construct(target, [executor], newTarget) {
          const spy = (resolve, reject) => executor(overheard(sack, resolve), reject);
          return construct(target, [spy], newTarget === tampered ? target : newTarget);
        },
      });
      window.Promise = tampered;
    },
    "`JSON.parse`, `JSON.stringify`": hooks(JSON, "parse", "stringify"),
    "`Array.prototype[Symbol.iterator]`": hooks(Array.prototype, Symbol.iterator),
    "every method of `String.prototype`": hooks(
      String.prototype,
      ...ownKeys(String.prototype).filter((key) => key !== "constructor"),
    ),
    "`URL`": hooks(window, "URL"),
    "setters on `Object.prototype`": (sack) => {
      for (const key of ["body", "headers", "user", "claims", "url", "access_token"]) {
        defineProperty(Object.prototype, key, {
          configurable: true,
          get: () => undefined,
          set(value) {
            note(sack, value);
            defineProperty(this, key, {
              ...{ value, configurable: true, enumerable: true, writable: true },
            });
          },
        });
      }
    },
    "`Reflect.set`": hooks(Reflect, "set"),
    "`crypto.subtle`": hooks(SubtleCrypto.prototype, "digest", "verify", "importKey"),
    "`crypto.getRandomValues`": hooks(Crypto.prototype, "getRandomValues"),
    "`Storage.prototype.setItem`, `getItem`": hooks(Storage.prototype, "setItem", "getItem"),
    "`BroadcastChannel.prototype.postMessage`": hooks(BroadcastChannel.prototype, "postMessage"),
    "`navigator.locks.request`": hooks(LockManager.prototype, "request"),
    "`TextEncoder.prototype.encode`": hooks(TextEncoder.prototype, "encode"),
    "`TextDecoder.prototype.decode`": hooks(TextDecoder.prototype, "decode"),
    "`Uint8Array`": hooks(window, "Uint8Array"),
    "`WebAssembly.Memory.prototype.buffer`": (sack) => {
      defineProperty(Memory.prototype, "buffer", {
        configurable: true,
        get() {
          note(sack, this);
          return apply(/** @type {() => ArrayBuffer} */ (bufferOf), this, []);
        },
      });
    },
    "`WebAssembly.instantiate`, `instantiateStreaming`": hooks(
      WebAssembly,
      ...["instantiate", "instantiateStreaming"],
    ),
  };

  window.thief = {
    install() {
      for (const [name, tamper] of Object.entries(tamperings)) {
        sacks[name] = { texts: new Set(), memories: new Set(), buffers: new Set() };
        tamper(sacks[name]);
      }
    },
    /** Empties out what was caught of the WebAssembly's memory, as it is now. */
    look() {
      quietly(() => {
        for (const { texts, memories, buffers } of Object.values(sacks)) {
          const all = [
            ...buffers,
            ...[...memories].map((memory) =>
              apply(/** @type {() => ArrayBuffer} */ (bufferOf), memory, []),
            ),
          ];
          for (const buffer of all) {
            texts.add(decode(buffer));
          }
        }
      });
    },
    stop() {
      busy = true;
    },
    found: (secrets) =>
      Object.fromEntries(
        Object.entries(sacks).map(([name, { texts }]) => {
          const all = [...texts].join("\n");
          const got = secrets.filter(([, value]) => all.includes(value)).map(([what]) => what);
          return [name, [...new Set(got)]];
        }),
      ),
  };
}
