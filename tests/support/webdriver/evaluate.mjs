/**
 * Scripts for a page, as Playwright takes them: text or a function, and an answer that may take its time. WebDriver has
 * one script at a time in a session, so that none may wait in the page: what takes longer is asked for again.
 *
 * @module
 */

import { Script } from "node:vm";
import { KEPT } from "./page-start.mjs";

/** Milliseconds that a script may keep the session from others. */
const TURN = 20;

/** Whether text is one expression, and not statements. @param {string} text */
function isExpression(text) {
  try {
    new Script(`(async () => (${text}\n))`);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the source of a function or an expression for a page to evaluate.
 *
 * @param {string | Function} code
 * @param {unknown} arg
 */
function source(code, arg) {
  if (typeof code !== "string") return `(${code})(${literal(arg)})`;
  return isExpression(code) ? `(${code}\n)` : `(() => { ${code}\n })()`;
}

/** A value as JavaScript's own text. @param {unknown} value */
export const literal = (value) => (value === undefined ? "undefined" : JSON.stringify(value));

/**
 * In the page: starts, and resolves with the result or, after a while, with nothing yet.
 *
 * @param {string} kept
 * @param {string} id
 * @param {number} turn
 * @param {() => unknown} compute
 * @param {(answer: object) => void} finish
 */
function start(kept, id, turn, compute, finish) {
  const running = Symbol.for(`${kept}/running`);
  window[running] ??= new Map();
  const pack = (value, depth = 0) => {
    if (value === undefined || typeof value === "function" || typeof value === "symbol") {
      return { u: 1 };
    }
    if (typeof value === "number" && !Number.isFinite(value)) return { n: String(value) };
    if (value === null || typeof value !== "object") return { v: value };
    if (depth > 20) throw new TypeError("too deep to be answered");
    if (value instanceof Date) return { d: value.toISOString() };
    if (value instanceof Error) return { e: { name: value.name, message: value.message } };
    if (Array.isArray(value)) return { a: Array.from(value, (item) => pack(item, depth + 1)) };
    if (value instanceof Node || value === window) return { v: "ref: <object>" };
    return { o: Object.entries(value).map(([name, item]) => [name, pack(item, depth + 1)]) };
  };
  const entry = {};
  window[running].set(id, entry);
  const end = (answer) => {
    if (entry.late) entry.answer = answer;
    else window[running].delete(id);
    finish(answer);
  };
  const fail = (error) =>
    end({
      error:
        error instanceof Error || error instanceof DOMException
          ? { name: error.name, message: error.message, stack: error.stack }
          : { name: "", message: String(error) },
    });
  // A page may have replaced the timers.
  const wait = window[Symbol.for(kept)]?.wait ?? setTimeout;
  wait(() => {
    entry.late = true;
    finish({ pending: true });
  }, turn);
  try {
    Promise.resolve(compute())
      .then((value) => end({ value: pack(value) }))
      .catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** In the page: what has come out meanwhile. `gone`: the page is another one by now. */
function look(kept, id) {
  const running = window[Symbol.for(`${kept}/running`)];
  const entry = running?.get(id);
  if (!entry) return { gone: true };
  if (!entry.answer) return { pending: true };
  running.delete(id);
  return entry.answer;
}

/** Unpacks a value that `start` packed. */
function unpack(packed) {
  if ("v" in packed) return packed.v;
  if ("n" in packed) return Number(packed.n);
  if ("d" in packed) return new Date(packed.d);
  if ("e" in packed) return Object.assign(new Error(packed.e.message), { name: packed.e.name });
  if ("a" in packed) return packed.a.map(unpack);
  if ("o" in packed)
    return Object.fromEntries(packed.o.map(([name, item]) => [name, unpack(item)]));
  return undefined;
}

/** Playwright's message for a page that went away under a script. */
const GONE = "Execution context was destroyed, most likely because of a navigation";

let count = 0;

/**
 * Evaluates in a page or a frame.
 *
 * @param {{ script: (kind: "sync" | "async", text: string) => Promise<any> }} where Runs a script there, in its turn.
 * @param {string | Function} code
 * @param {unknown} [arg]
 * @returns {Promise<any>}
 */
export async function evaluateIn(where, code, arg) {
  const id = String(++count);
  const [kept, key] = [JSON.stringify(KEPT), JSON.stringify(id)];
  const text = `(${start})(${kept}, ${key}, ${TURN}, () => ${source(code, arg)}, finish);`;
  let answer;
  try {
    answer = await where.script("async", text);
    while (answer.pending) {
      await new Promise((resolve) => setTimeout(resolve, TURN));
      answer = await where.script("sync", `return (${look})(${kept}, ${key});`);
    }
  } catch (error) {
    throw new Error(isGone(error) ? GONE : /** @type {Error} */ (error).message, { cause: error });
  }
  if (answer.gone) throw new Error(GONE);
  if (answer.error) {
    const { name, message, stack } = answer.error;
    throw Object.assign(new Error(`evaluate: ${name}: ${message}`), { pageStack: stack });
  }
  return unpack(answer.value);
}

/** Whether a command failed because its page was being left. @param {any} error */
export const isGone = (error) =>
  /before the unload event|navigat|JavaScript context|document (was )?unload/i.test(
    error.message ?? "",
  );
