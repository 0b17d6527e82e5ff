/**
 * Drives the calls of the WebAssembly: `src/browser/task.rs` is the other half.
 *
 * @packageDocumentation
 */

/** A call under way inside the WebAssembly. */
export interface Task {
  /**
   * Goes on with the outcome of the promise that was waited for: its value, or why it `failed`. Returns the next
   * promise to wait for; once there is none, the value that the call ends with, which is never a promise.
   */
  step(settled: unknown, failed: boolean): unknown;
}

/** Takes a call to its end. It begins after what is running now. */
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
