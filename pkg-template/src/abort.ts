/**
 * Ends a wait when an `AbortSignal` says so.
 *
 * @packageDocumentation
 */

/** Waits for `promise` unless the signal is aborted: as with `fetch`, the signal's reason is then the error. */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    // The caller's signal may outlive many waits, and keeps alive what listens to it.
    const stop = () => signal.removeEventListener("abort", abort);
    promise.then(resolve, reject).finally(stop);
  });
