/**
 * Drives the calls of the WebAssembly: `src/browser/task.rs` is the other half.
 *
 * @packageDocumentation
 */

/** A call under way inside the WebAssembly. */
export interface Task {
  /**
   * Resumes with the result of the promise that was awaited: its value or, if it `failed`, the reason. Returns the next
   * promise to await or, at the end, the call's value, which is never a promise.
   */
  step(settled: unknown, failed: boolean): unknown;
}

/** Runs a call. It begins after the code that is running now. */
export async function run(task: Task): Promise<unknown> {
  let settled: unknown = await null;
  let failed = false;
  for (;;) {
    const next = task.step(settled, failed);
    if (typeof (next as PromiseLike<unknown> | null | undefined)?.then !== "function") return next;
    try {
      settled = await next;
      failed = false;
    } catch (error) {
      settled = error;
      failed = true;
    }
  }
}
