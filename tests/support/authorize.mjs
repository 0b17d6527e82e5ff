/** A person who signs in on the stand-in's pages, request by request: no browser, and no SDK. */

/** A browser as far as the stand-in needs one: cookies by path, redirects by hand. */
function browse() {
  const cookies = new Map();
  const open = async (url, init = {}) => {
    const { pathname } = new URL(url);
    const cookie = [...cookies.values()]
      .filter(({ path, value }) => value && (path === "/" || path === pathname))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
    const headers = { ...init.headers, cookie };
    const response = await fetch(url, { ...init, redirect: "manual", headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      const path = /path=([^;]*)/i.exec(line)?.[1] ?? "/";
      cookies.set(`${path} ${name}`, { name, value, path });
    }
    const location = response.headers.get("location");
    return location ? open(new URL(location, url)) : { url, text: await response.text() };
  };
  return open;
}

/**
 * Signs somebody in at a stand-in whose `consent` is `"never"`.
 *
 * @param {import("../../www/stand-in/index.js").StandIn} standIn
 * @param {object} request
 * @param {string} request.clientId
 * @param {string} request.redirectUri
 * @param {{ nonce: string, challenge: string }} [request.login] Without it, a request as a LaunchPad tile makes it.
 * @param {string} [request.state] A state without a login, as other clients send it.
 * @param {string} [request.sub] Who: a student, unless another is named.
 * @returns {Promise<string>} The code that the last hop carries.
 */
export async function authorize(standIn, { clientId, redirectUri, login, sub = "8708718", state }) {
  const open = browse();
  const url = new URL(standIn.endpoints.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid profile email",
    ...(state && { state }),
    ...(login && {
      state: "the-state",
      nonce: login.nonce,
      code_challenge: login.challenge,
      code_challenge_method: "S256",
    }),
  });
  const page = await open(url);
  const { text } = await open(page.url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ account: sub }).toString(),
  });
  const target = JSON.parse(/location\.replace\((".*?")\)/.exec(text)[1]);
  return new URL(target).searchParams.get("code");
}
