/**
 * A promise, and what keeps it.
 *
 * @returns {{ promise: Promise<any>, resolve: (value?: any) => void }}
 */
export function deferred() {
  let resolve = (/** @type {any} */ _) => {};
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
