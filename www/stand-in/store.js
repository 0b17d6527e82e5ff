/** Stores oidc-provider's data in memory, until the stand-in closes. */

/**
 * @typedef {object} Store
 * @property {(model: string) => object} adapter oidc-provider's adapter factory.
 * @property {(accountId: string, models: readonly string[]) => void} forget Deletes a user's entries of these models.
 */

/**
 * Creates a store: one `Map`, each entry until it expires.
 *
 * @returns {Store}
 */
export function createStore() {
  /** @type {Map<string, { payload: Record<string, any>, expiresAt: number }>} */
  const entries = new Map();

  const read = (/** @type {string} */ key) => {
    const entry = entries.get(key);
    if (entry && entry.expiresAt <= Date.now()) {
      entries.delete(key);
      return undefined;
    }
    return entry?.payload;
  };

  /** @type {Store["adapter"]} */
  const adapter = (model) => ({
    /** @param {string} id @param {Record<string, any>} payload @param {number} [expiresIn] seconds */
    async upsert(id, payload, expiresIn) {
      const expiresAt = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000;
      entries.set(`${model}:${id}`, { payload, expiresAt });
    },
    /** @param {string} id */
    async find(id) {
      return read(`${model}:${id}`);
    },
    /** @param {string} uid */
    async findByUid(uid) {
      for (const key of entries.keys()) {
        if (key.startsWith(`${model}:`)) {
          const payload = read(key);
          if (payload?.uid === uid) return payload;
        }
      }
      return undefined;
    },
    /** @param {string} id */
    async consume(id) {
      const payload = read(`${model}:${id}`);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    },
    /** @param {string} id */
    async destroy(id) {
      entries.delete(`${model}:${id}`);
    },
    /** @param {string} grantId */
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) {
        if (payload.grantId === grantId) entries.delete(key);
      }
    },
  });

  return {
    adapter,
    forget(accountId, models) {
      for (const [key, { payload }] of entries) {
        const [model = ""] = key.split(":", 1);
        if (payload.accountId === accountId && models.includes(model)) entries.delete(key);
      }
    },
  };
}
