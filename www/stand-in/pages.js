/** The pages that a user sees. Plain HTML: all but the last hop works without script. */

import { html, scriptJson } from "./html.js";

/** @import { Person } from "./directory.js" */
/** @import { Html } from "./html.js" */
/** @import { Settings } from "./options.js" */
/** @import { Client, District } from "./types.d.ts" */

/**
 * Returns the headers of every response of the issuer's origin: no script, no referrer, and who may frame or open its pages.
 *
 * @param {Settings} settings
 * @returns {Record<string, string>}
 */
export function pageHeaders({ framing, openerPolicy, clients }) {
  const uris = framing ? clients.flatMap(({ redirectUris }) => redirectUris) : [];
  const ancestors = new Set(uris.map((uri) => new URL(uri).origin));
  const sources = [...ancestors].join(" ") || "'none'";
  return {
    "Content-Security-Policy": `default-src 'none'; style-src 'self'; img-src data:; frame-ancestors ${sources}`,
    "Referrer-Policy": "no-referrer",
    ...(openerPolicy && { "Cross-Origin-Opener-Policy": openerPolicy }),
  };
}

/**
 * @param {string} title
 * @param {Html} main
 * @param {Html} [head]
 * @returns {string}
 */
function page(title, main, head) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – stand-in</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/stand-in.css">
${head}
</head>
<body>
<header>
<p><strong>Stand-in for ClassLink</strong> <span>This is not ClassLink. It runs on a developer’s machine, its users are invented, and no password is needed.</span></p>
</header>
<main>
${main}
</main>
</body>
</html>
`.text;
}

/**
 * Returns the first page of a sign-in, which asks for the district.
 *
 * @param {object} about
 * @param {string} about.clientName
 * @param {string} about.query What was searched for.
 * @param {readonly District[]} about.districts What was found.
 */
export function districtPage({ clientName, query, districts }) {
  return page(
    "Find your district",
    html`<h1>Find your district</h1>
<p>to sign in to <strong>${clientName}</strong></p>
<form method="get" role="search" class="search">
<label for="q">District name</label>
<div class="row">
<input id="q" name="q" type="search" autocomplete="off" value="${query}" data-testid="district-search">
<button type="submit" class="secondary">Search</button>
</div>
</form>
<h2>Districts</h2>
${
  districts.length > 0
    ? html`<ul class="list">${districts.map(
        (district) => html`
<li><a class="item" href="?district=${encodeURIComponent(district.id)}" data-testid="district-${district.id}">
<span class="name">${district.name}</span> <span class="note">${district.state}</span></a></li>`,
      )}
</ul>`
    : html`<p role="status">No district’s name contains “${query}”. <a href="?q=">Show all</a></p>`
}`,
  );
}

/**
 * Returns the second page of a sign-in, which asks for the user.
 *
 * @param {object} about
 * @param {string} about.clientName
 * @param {District} about.district
 * @param {readonly Person[]} about.people
 * @param {string} [about.hinted] Subject of the user whom the application expects.
 */
export function personPage({ clientName, district, people, hinted }) {
  return page(
    `Sign in – ${district.name}`,
    html`<p class="back"><a href="?q=" data-testid="other-district">Another district</a></p>
<h1>Who are you?</h1>
<p>${district.name}: choose a user to sign in to <strong>${clientName}</strong>.</p>
<form method="post">
<ul class="list">${people.map(
      ({ account }) => html`
<li><button class="item" name="account" value="${account.sub}" data-testid="person-${account.sub}">
<span class="name">${account.firstName} ${account.lastName}</span> ${account.sub === hinted && html`<span class="badge">Expected by the app</span> `}<span class="note">${account.note}</span></button></li>`,
    )}
</ul>
</form>`,
  );
}

const SCOPE_TEXTS = /** @type {Record<string, string>} */ ({
  openid: "Recognize you on your next visit",
  profile: "See your name, role and district",
  email: "See your e-mail address",
  oneroster: "See your roster ID",
  full: "See your whole profile",
  offline_access: "Keep you signed in",
});

/**
 * Returns the consent page.
 *
 * @param {object} about
 * @param {string} about.clientName
 * @param {Person} about.person
 * @param {readonly string[]} about.scopes
 */
export function consentPage({ clientName, person, scopes }) {
  return page(
    "Allow access",
    html`<h1>Allow ${clientName}?</h1>
<p>You are signed in as <strong>${fullName(person)}</strong> of ${person.district.name}. <strong>${clientName}</strong> wants to:</p>
<ul class="plain">${scopes.map(
      (scope) => html`
<li>${SCOPE_TEXTS[scope] ?? scope}</li>`,
    )}
</ul>
<form method="post" class="row actions">
<button name="answer" value="allow" data-testid="consent-allow">Allow</button>
<button name="answer" value="refuse" class="secondary" data-testid="consent-refuse">Refuse</button>
</form>`,
  );
}

/**
 * Returns the page that navigates to the application by script.
 *
 * @param {string} target
 * @param {string} nonce Of the page's Content-Security-Policy.
 */
export function continuePage(target, nonce) {
  return page(
    "Continue",
    html`<h1>One moment</h1>
<p>You are being taken back to the app.</p>
<p><a class="button" href="${target}" data-testid="continue">Continue</a></p>
<script nonce="${nonce}">location.replace(${scriptJson(target)});</script>`,
  );
}

/**
 * Returns the page that asks whether to end the session.
 *
 * @param {object} about
 * @param {string} [about.clientName] Who asks for it, if that is known.
 * @param {Person} [about.person] Who is signed in.
 * @param {Html} about.form Which the buttons send: the provider's own.
 */
export function endSessionPage({ clientName, person, form }) {
  return page(
    "Sign out",
    html`<h1>Sign out?</h1>
<p><strong>${clientName ?? "An app"}</strong> asks you to sign out. ${
      person &&
      html`You are signed in as <strong>${fullName(person)}</strong> of ${person.district.name}.`
    }</p>
${form}
<div class="row actions">
<button form="op.logoutForm" name="logout" value="yes" data-testid="end-session-confirm">Sign out</button>
<button form="op.logoutForm" class="secondary" data-testid="end-session-stay">Stay signed in</button>
</div>`,
  );
}

/** Returns the page after the end of a session, for a request without an application to return to. */
export function signedOutPage() {
  return page(
    "Signed out",
    html`<h1>You are signed out</h1>
<p data-testid="signed-out">You may close this page. <a href="/launchpad">LaunchPad</a></p>`,
  );
}

/**
 * @param {string} error A code.
 * @param {string} [description]
 */
export function errorPage(error, description) {
  return page(
    "Error",
    html`<h1>That did not work</h1>
<p role="alert" data-testid="stand-in-error"><code>${error}</code>${description && html`: ${description}`}</p>
<p>Go back to the app and start again. <a href="/launchpad">LaunchPad</a></p>`,
  );
}

/**
 * Returns the tiles of one application.
 *
 * @typedef {object} Tile
 * @property {Client} client
 * @property {string} codeUrl Where the ClassLink-initiated tile leads.
 */

/**
 * LaunchPad.
 *
 * @param {object} about
 * @param {Person} [about.person] Who is signed in.
 * @param {string} about.signInUrl
 * @param {readonly Tile[]} about.tiles
 */
export function launchPadPage({ person, signInUrl, tiles }) {
  if (!person) {
    return page(
      "LaunchPad",
      html`<h1>LaunchPad</h1>
<p data-testid="launchpad-nobody">No user is signed in.</p>
<p><a class="button" href="${signInUrl}" data-testid="launchpad-sign-in">Sign in</a></p>`,
    );
  }
  return page(
    "LaunchPad",
    html`<h1>LaunchPad</h1>
<p>Signed in as <strong data-testid="launchpad-person" data-sub="${person.account.sub}">${fullName(person)}</strong> of ${person.district.name}.</p>
<div class="row actions">
<a class="button secondary" href="${signInUrl}" data-testid="launchpad-switch">Switch user</a>
<form method="post" action="/launchpad/sign-out">
<button class="secondary" data-testid="launchpad-sign-out">Sign out</button>
</form>
</div>
<h2>Apps</h2>
${
  tiles.length > 0
    ? html`<ul class="tiles">${tiles.map(({ client, codeUrl }) => tilesOf(client, codeUrl))}
</ul>`
    : html`<p>No app is registered with this stand-in.</p>`
}`,
  );
}

/** @param {Client} client @param {string} codeUrl */
function tilesOf(client, codeUrl) {
  const name = client.name ?? client.clientId;
  return html`
<li><a class="tile" href="${codeUrl}" data-testid="tile-${client.clientId}">
<span class="name">${name}</span> <span class="note">ClassLink-initiated: opens the app with a code, without a state</span></a></li>${
    client.launchUrl !== undefined &&
    html`
<li><a class="tile" href="${client.launchUrl}" data-testid="launch-tile-${client.clientId}">
<span class="name">${name}</span> <span class="note">Partner-initiated: opens the app, which starts the sign-in</span></a></li>`
  }`;
}

/** @param {Person} person */
function fullName({ account }) {
  return `${account.firstName} ${account.lastName}`;
}
