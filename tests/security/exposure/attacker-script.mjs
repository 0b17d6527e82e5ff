/** A script that gets onto the page and tampers with the platform. Everything here runs in the page. */

/**
 * Makes `window.attackerScript`. `install()` tampers with everything at once, each way with a capture of its own; `look()` adds what
 * is in the WebAssembly's memory, if it can be reached; `stop()` ends it all; `found(secrets)` returns which of these
 * `[name, text]` are in which capture. The script saves the functions that it needs before it tampers.
 */
export function makeAttackerScript() {
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
  const captures = {};
  /** While the script itself is at work, nothing is captured. */
  let busy = false;

  const quietly = (work) => {
    if (busy) return;
    busy = true;
    try {
      work();
    } catch {
      // The page must not notice.
    } finally {
      busy = false;
    }
  };

  function put(capture, value, depth, seen) {
    if (typeof value === "string") return void capture.texts.add(value);
    if (typeof value !== "object" || value === null || depth > 5 || seen.has(value)) return;
    seen.add(value);
    const more = (inner) => put(capture, inner, depth + 1, seen);
    if (value instanceof Promise)
      return void apply(then, value, [(v) => note(capture, v), () => {}]);
    if (value instanceof Memory) return void capture.memories.add(value);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const view = ArrayBuffer.isView(value) ? value : undefined;
      const buffer = view?.buffer ?? /** @type {ArrayBuffer} */ (value);
      // Only the WebAssembly's memory is as large.
      if (buffer.byteLength > 1_000_000) return void capture.buffers.add(buffer);
      const bytes = decode(buffer, view?.byteOffset, value.byteLength);
      capture.texts.add(bytes);
      // Random bytes, as they are written: base64url.
      capture.texts.add(btoa(bytes).replaceAll("+", "-").replaceAll("/", "_"));
      return;
    }
    if (value instanceof Response) {
      if (value.bodyUsed) return;
      void apply(then, apply(text, apply(clone, value, []), []), [
        (v) => note(capture, v),
        () => {},
      ]);
      return;
    }
    if (value instanceof Request) return void [value.url, value.headers].forEach(more);
    if (value instanceof Headers) return void value.forEach(more);
    if (value instanceof URL) return more(value.href);
    if (value instanceof WebAssembly.Instance) return void more(value.exports);
    for (const key of ownKeys(value)) more(getOwnPropertyDescriptor(value, key)?.value);
  }
  const note = (capture, ...values) =>
    quietly(() => {
      for (const value of values) put(capture, value, 0, new Set());
    });

  /** Makes a function do what it did, and captures its object, arguments and result. */
  function hook(capture, owner, key) {
    const original = getOwnPropertyDescriptor(owner, key)?.value;
    if (typeof original !== "function") return;
    const tampered = new Proxy(original, {
      apply(target, self, args) {
        note(capture, self, args);
        const result = apply(target, self, args);
        note(capture, result);
        return result;
      },
      construct(target, args, newTarget) {
        note(capture, args);
        const result = construct(target, args, newTarget === tampered ? target : newTarget);
        note(capture, result);
        return result;
      },
    });
    defineProperty(owner, key, { value: tampered, configurable: true, writable: true });
  }
  const hooks =
    (owner, ...keys) =>
    (capture) => {
      for (const key of keys) hook(capture, owner, key);
    };

  /** Values that pass through a callback. */
  const recorded = (capture, callback) =>
    typeof callback !== "function"
      ? callback
      : (value) => {
          note(capture, value);
          return callback(value);
        };

  const tamperings = {
    "`fetch`": hooks(window, "fetch"),
    "`Request`, `Headers.prototype.set`": (capture) => {
      hook(capture, window, "Request");
      hook(capture, Headers.prototype, "set");
    },
    "`Response.prototype.text`, `json`, `arrayBuffer`": hooks(
      Response.prototype,
      ...["text", "json", "arrayBuffer"],
    ),
    "`ReadableStreamDefaultReader.prototype.read`": hooks(
      ReadableStreamDefaultReader.prototype,
      "read",
    ),
    "`Promise.prototype.then`": (capture) => {
      // biome-ignore lint/suspicious/noThenProperty: that is the tampering
      Promise.prototype.then = function (fulfilled, rejected) {
        return apply(then, this, [recorded(capture, fulfilled), rejected]);
      };
    },
    "`Promise`": (capture) => {
      const tampered = new Proxy(Promise, {
        construct(target, [executor], newTarget) {
          const spy = (resolve, reject) => executor(recorded(capture, resolve), reject);
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
    "setters on `Object.prototype`": (capture) => {
      for (const key of ["body", "headers", "user", "claims", "url", "access_token"]) {
        defineProperty(Object.prototype, key, {
          configurable: true,
          get: () => undefined,
          set(value) {
            note(capture, value);
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
    "`WebAssembly.Memory.prototype.buffer`": (capture) => {
      defineProperty(Memory.prototype, "buffer", {
        configurable: true,
        get() {
          note(capture, this);
          return apply(/** @type {() => ArrayBuffer} */ (bufferOf), this, []);
        },
      });
    },
    "`WebAssembly.instantiate`, `instantiateStreaming`": hooks(
      WebAssembly,
      ...["instantiate", "instantiateStreaming"],
    ),
  };

  window.attackerScript = {
    install() {
      for (const [name, tamper] of Object.entries(tamperings)) {
        captures[name] = { texts: new Set(), memories: new Set(), buffers: new Set() };
        tamper(captures[name]);
      }
    },
    /** Empties out what was caught of the WebAssembly's memory, as it is now. */
    look() {
      quietly(() => {
        for (const { texts, memories, buffers } of Object.values(captures)) {
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
        Object.entries(captures).map(([name, { texts }]) => {
          const all = [...texts].join("\n");
          const got = secrets.filter(([, value]) => all.includes(value)).map(([what]) => what);
          return [name, [...new Set(got)]];
        }),
      ),
  };
}
