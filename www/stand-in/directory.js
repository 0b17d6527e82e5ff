/** Finds users and districts. */

/** @import { Account, District } from "./types.d.ts" */

/** @typedef {{ account: Account, district: District }} Person */

/** The users of one stand-in. */
export class People {
  /** @type {Map<string, Person>} */
  #bySub = new Map();

  /**
   * @param {readonly District[]} districts
   * @param {readonly Account[]} accounts
   */
  constructor(districts, accounts) {
    this.districts = districts;
    for (const account of accounts) {
      const district = this.district(String(account.districtId));
      if (district) this.#bySub.set(account.sub, { account, district });
    }
  }

  /** @param {string | undefined} sub @returns {Person | undefined} */
  find(sub) {
    return sub === undefined ? undefined : this.#bySub.get(sub);
  }

  /**
   * Finds the user of a `login_hint`: a subject, an e-mail address, or a login id that only one district has.
   *
   * @param {string | undefined} hint
   * @returns {Person | undefined}
   */
  hinted(hint) {
    if (!hint) return undefined;
    const found = [...this.#bySub.values()].filter(({ account }) =>
      [account.sub, account.email, account.loginId].includes(hint),
    );
    return found.length === 1 ? found[0] : undefined;
  }

  /** @param {string} id @returns {District | undefined} */
  district(id) {
    return this.districts.find((district) => String(district.id) === id);
  }

  /** @param {District} district @returns {Person[]} */
  of(district) {
    return [...this.#bySub.values()].filter((person) => person.district === district);
  }

  /** @param {string} query Part of a name, in any case. @returns {District[]} */
  search(query) {
    const wanted = query.trim().toLowerCase();
    return this.districts.filter(({ name }) => name.toLowerCase().includes(wanted));
  }
}
