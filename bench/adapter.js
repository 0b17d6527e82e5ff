/**
 * Declares the interface that every library is adapted to. Each file of `adapters/` is a page's module whose default
 * export is a {@link CreateAdapter}.
 *
 * @module
 */

/**
 * @typedef {object} Settings
 * @property {string} issuer
 * @property {string} clientId
 * @property {string} redirectUri
 * @property {{ issuer: string } & Record<string, any>} [metadata] The discovery document, if the application is to know it.
 * @property {boolean} renews Whether the access token is going to be renewed.
 * @property {(url: string) => void} navigate Leaves the page.
 */

/**
 * One application's sign-in by one library.
 *
 * @typedef {object} Adapter
 * @property {() => Promise<unknown>} login Navigates to the provider.
 * @property {() => Promise<string | undefined>} callback Handles the authorization response in the page's URL; resolves with the user's `sub`.
 * @property {() => Promise<unknown>} [renew] Renews the access token; absent if the library leaves that to the application.
 * @property {() => Promise<unknown>} [logout] Forgets the user.
 */

/** @typedef {(settings: Settings) => Adapter} CreateAdapter */

/** The time limit of one request, for libraries that have one: a busy machine is not what is measured. */
export const REQUEST_TIMEOUT_SECS = 120;
