/**
 * Token requests per address and minute, counted in this process. A whole school may share one address, and a class
 * signs in within a minute: keep the limit high.
 */
export function createRateLimit({ limit = 600, window = 60_000, now = Date.now } = {}) {
  let counts = new Map();
  let begun = now();
  return ({ route, remoteAddress = "unknown" }) => {
    if (route !== "token") return true;
    if (now() - begun >= window) {
      counts = new Map();
      begun = now();
    }
    const count = (counts.get(remoteAddress) ?? 0) + 1;
    counts.set(remoteAddress, count);
    return count <= limit;
  };
}
