/**
 * UserInfo (OpenID Connect Core 1.0, 5.3) and ClassLink's `/v2/my/info`.
 *
 * @module
 */

import { PERSON } from "../provider.mjs";
import { claims, IMPATIENT, MIB, members, OPTION, signedIn, USELESS } from "./help.mjs";

/** @import { Scenario } from "../runner.mjs" */

const userinfo = { profile: "userinfo" };
const myInfo = ({ origin }) => ({
  profile: "my-info",
  metadata: { my_info_endpoint: `${origin}/my-info` },
});

/** An ID token that says nothing but who a user is. */
const bare = claims({
  name: undefined,
  given_name: undefined,
  family_name: undefined,
  profile: undefined,
  email: undefined,
});

/** @type {Scenario[]} */
export const profiles = [
  {
    name: "UserInfo fills what the ID token lacks; the access token goes in a header",
    arrange: { config: userinfo, idToken: bare },
    expect: {
      ...signedIn,
      user: { name: PERSON.name },
      requested: { userinfo: 1 },
      headers: { userinfo: { authorization: /^Bearer \S+$/, cookie: undefined } },
      sent: { userinfo: { access_token: undefined } },
    },
  },
  {
    name: "UserInfo is not wanted, and not asked",
    expect: { ...signedIn, notRequested: ["userinfo", "myInfo"] },
    ours: OPTION,
  },
  {
    name: "UserInfo says otherwise than the ID token: what was signed wins",
    arrange: { config: userinfo, userinfo: members({ name: "Somebody Else" }) },
    expect: { ...signedIn, user: { name: PERSON.name } },
    ours: OPTION,
  },
  {
    name: "UserInfo says that claims are elsewhere (Core 5.6.2): they are not fetched",
    arrange: {
      config: userinfo,
      userinfo: (answer, { provider }) => {
        answer.json._claim_names = { role: "elsewhere" };
        answer.json._claim_sources = { elsewhere: { endpoint: `${provider.origin}/elsewhere` } };
      },
    },
    expect: { ...signedIn, notRequested: ["other"] },
  },
  ...Object.entries({
    "is another's": "8708719",
    "is missing": undefined,
    "is a number": 8708718,
    "has a space more": "8708718 ",
  }).map(([what, sub]) => ({
    name: `UserInfo's sub ${what}`,
    arrange: { config: userinfo, userinfo: members({ sub }) },
    expect: { code: "user_mismatch", requested: { userinfo: 1 } },
  })),
  ...Object.entries(USELESS).map(([what, answer]) => ({
    name: `UserInfo's answer ${what}`,
    arrange: { config: userinfo, userinfo: answer },
    expect: { code: "provider_response_invalid" },
  })),
  {
    name: "UserInfo's response is a signed token that was not requested",
    arrange: {
      config: userinfo,
      userinfo: {
        body: "eyJhbGciOiJub25lIn0.e30.",
        headers: { "Content-Type": "application/jwt" },
      },
    },
    expect: { code: "provider_response_invalid" },
  },
  ...[401, 403, 429, 500].map((status) => ({
    name: `UserInfo's answer is ${status}`,
    arrange: { config: userinfo, userinfo: { status, json: { message: "Pia Privat" } } },
    expect: { code: "userinfo_rejected", status, retryable: status === 429 || status === 500 },
  })),
  {
    name: "UserInfo answers 200 with a numeric status, as ClassLink may",
    arrange: { config: userinfo, userinfo: { json: { status: 401, message: "no" } } },
    expect: { code: "userinfo_rejected", status: 401 },
  },
  {
    name: "UserInfo has a claim status that is text",
    arrange: { config: userinfo, userinfo: members({ status: "enrolled" }) },
    expect: signedIn,
  },
  {
    name: "UserInfo hangs",
    arrange: { config: { ...userinfo, ...IMPATIENT }, userinfo: { hang: true } },
    expect: { code: "timeout", retryable: true },
  },
  {
    name: "UserInfo's answer is 10 MiB large",
    arrange: {
      config: userinfo,
      userinfo: ({ json }) => ({ json: { ...json, more: "a".repeat(10 * MIB) } }),
    },
    expect: { code: "provider_response_invalid" },
  },
  {
    name: "UserInfo redirects, and the access token must not go along",
    arrange: {
      config: userinfo,
      userinfo: { status: 302, headers: { Location: "/elsewhere" }, body: "" },
    },
    expect: { code: "network", notRequested: ["other"] },
  },
  {
    name: "the access token can't be sent in a header (a line feed in it)",
    arrange: {
      config: userinfo,
      idToken: claims({ at_hash: undefined }),
      token: members({ access_token: "a\r\nX-Evil: 1" }),
    },
    expect: { code: "provider_response_invalid", notRequested: ["userinfo"] },
  },
  {
    name: "my-info gives tenant and ids",
    arrange: { config: myInfo, myInfo: members({ SourcedId: "5678/T1", Role: "Student" }) },
    expect: {
      ...signedIn,
      user: {
        tenant: { id: "2284", name: "Springfield" },
        userId: PERSON.sub,
        rosterId: "2284/5678%2FT1",
      },
    },
    ours: OPTION,
  },
  {
    name: "my-info has SourcedId empty: no roster key",
    arrange: { config: myInfo, myInfo: members({ SourcedId: "" }) },
    expect: { ...signedIn, user: { rosterId: undefined, sourcedId: undefined } },
    ours: OPTION,
  },
  {
    name: "my-info has every member of another type",
    arrange: {
      config: myInfo,
      myInfo: members({ UserId: "8708718", TenantId: "2284", OrgId: "", Role: 5, Email: null }),
    },
    expect: {
      ...signedIn,
      user: { userId: "8708718", tenant: { id: "2284", name: "Springfield" } },
    },
    ours: OPTION,
  },
  {
    name: "my-info is another user's",
    arrange: { config: myInfo, myInfo: members({ UserId: 8708719 }) },
    expect: { code: "user_mismatch" },
    ours: OPTION,
  },
  {
    name: "my-info answers 200 with a numeric status",
    arrange: { config: myInfo, myInfo: { json: { status: 403, message: "Pia Privat" } } },
    expect: { code: "userinfo_rejected", status: 403 },
    ours: OPTION,
  },
  {
    name: "my-info answers 401 with a message",
    arrange: { config: myInfo, myInfo: { status: 401, json: { message: "Pia Privat" } } },
    expect: { code: "userinfo_rejected", status: 401 },
    ours: OPTION,
  },
  {
    name: "the user's district is served",
    arrange: {
      config: (provider) => ({ ...myInfo(provider), allowedTenants: [2284] }),
    },
    expect: signedIn,
    ours: OPTION,
  },
  {
    name: "the user's district is not served",
    arrange: {
      config: { allowedTenants: ["2284"] },
      idToken: claims({ classLink_tenant_id: 22840 }),
    },
    expect: { code: "tenant_not_allowed", reason: "tenant_other" },
    again: false,
    ours: OPTION,
  },
  {
    name: "the user's district is not known",
    arrange: { config: { allowedTenants: ["2284"] } },
    expect: { code: "tenant_not_allowed", reason: "tenant_unknown" },
    again: false,
    ours: OPTION,
  },
  {
    name: "my-info says a served district, the signed token another",
    arrange: {
      config: (provider) => ({ ...myInfo(provider), allowedTenants: [2284] }),
      idToken: claims({ classLink_tenant_id: 9999 }),
    },
    expect: { code: "tenant_not_allowed", reason: "tenant_other" },
    ours: OPTION,
  },
];
