/**
 * The districts and users of the stand-in. All invented: every family name is a word, never a real one.
 *
 * Between them they have what makes ClassLink's accounts hard: two districts that share a `SourcedId`, a district
 * without OneRoster, accounts without an e-mail address, ids that are numbers here and strings there, and an
 * administrator who comes back as `Teacher`.
 */

/**
 * A school district: ClassLink's tenant.
 *
 * @typedef {object} District
 * @property {number | string} id ClassLink's `TenantId`: a number for some districts, a string for others.
 * @property {string} name The `Tenant` field of my/info and the `locality` of the `address` claim.
 * @property {string} state The `region` of the `address` claim.
 */

/**
 * A user who can sign in.
 *
 * @typedef {object} Account
 * @property {string} sub The `sub` claim: unique across districts.
 * @property {number | string} userId ClassLink's `UserId`: the subject, as a number for some and a string for others.
 * @property {number | string} districtId The `id` of the user's {@link District}.
 * @property {string} firstName
 * @property {string} lastName
 * @property {string} role The role word: `Student`, `Teacher`, `Parent`, `Tenant Administrator`.
 * @property {number} roleLevel `Role_Level`: 4 for a student, 3 for a teacher.
 * @property {string} sourcedId OneRoster id, unique only within the district; `""` where it has no OneRoster.
 * @property {string} loginId Unique only within the district.
 * @property {string} [email] Absent for some young students.
 * @property {string} [building] The school.
 * @property {string[]} [orgs] OneRoster ids of the user's schools.
 * @property {string} note One line for the sign-in page: what is special about this user.
 */

/** @type {readonly District[]} */
export const DISTRICTS = [
  { id: 2284, name: "Sample Creek Unified", state: "New Jersey" },
  { id: "3391", name: "Example Valley Schools", state: "Ohio" },
  { id: 4477, name: "Placeholder Prairie District", state: "Kansas" },
];

/** @type {readonly Account[]} */
export const ACCOUNTS = [
  {
    sub: "8708718",
    userId: 8708718,
    districtId: 2284,
    firstName: "Pia",
    lastName: "Pupil",
    role: "Student",
    roleLevel: 4,
    sourcedId: "5678_S-1001",
    loginId: "pia.pupil",
    email: "pia.pupil@sample-creek.example",
    building: "Sample Creek Middle School",
    orgs: ["5678_O-1"],
    note: "Student; shares her SourcedId with Paul in Example Valley",
  },
  {
    sub: "8708719",
    userId: 8708719,
    districtId: 2284,
    firstName: "Nils",
    lastName: "Nomail",
    role: "Student",
    roleLevel: 4,
    sourcedId: "5678_S-1002",
    loginId: "nils.nomail",
    building: "Sample Creek Elementary",
    orgs: ["5678_O-2"],
    note: "Student without an e-mail address",
  },
  {
    sub: "8708720",
    userId: 8708720,
    districtId: 2284,
    firstName: "Tess",
    lastName: "Teacher",
    role: "Teacher",
    roleLevel: 3,
    sourcedId: "5678_T-0005",
    loginId: "tess.teacher",
    email: "tess.teacher@sample-creek.example",
    building: "Sample Creek Middle School",
    orgs: ["5678_O-1", "5678_O-2"],
    note: "Teacher at two schools",
  },
  {
    sub: "8708721",
    userId: "8708721",
    districtId: 2284,
    firstName: "Adam",
    lastName: "Admin",
    role: "Teacher",
    roleLevel: 3,
    sourcedId: "5678_A-0001",
    loginId: "adam.admin",
    email: "adam.admin@sample-creek.example",
    note: "Administrator who comes back as Teacher",
  },
  {
    sub: "9120045",
    userId: "9120045",
    districtId: "3391",
    firstName: "Paul",
    lastName: "Placeholder",
    role: "Student",
    roleLevel: 4,
    sourcedId: "5678_S-1001",
    loginId: "pia.pupil",
    email: "paul.placeholder@example-valley.example",
    building: "Example Valley High School",
    orgs: ["5678_O-1"],
    note: "Student; has Pia's SourcedId and LoginId, in another district",
  },
  {
    sub: "9120046",
    userId: "9120046",
    districtId: "3391",
    firstName: "Petra",
    lastName: "Parent",
    role: "Parent",
    roleLevel: 5,
    sourcedId: "5678_P-0007",
    loginId: "petra.parent",
    email: "petra.parent@mail.example",
    note: "Parent",
  },
  {
    sub: "9120047",
    userId: "9120047",
    districtId: "3391",
    firstName: "Tara",
    lastName: "Tenant",
    role: "Tenant Administrator",
    roleLevel: 2,
    sourcedId: "5678_A-0001",
    loginId: "tara.tenant",
    email: "tara.tenant@example-valley.example",
    note: "Administrator who comes back as Tenant Administrator",
  },
  {
    sub: "7300512",
    userId: 7300512,
    districtId: 4477,
    firstName: "Olga",
    lastName: "Oneword",
    role: "Student",
    roleLevel: 4,
    sourcedId: "",
    loginId: "olga.oneword",
    note: "Student without SourcedId (no OneRoster) and without e-mail address",
  },
  {
    sub: "7300513",
    userId: 7300513,
    districtId: 4477,
    firstName: "Theo",
    lastName: "Tryout",
    role: "Teacher",
    roleLevel: 3,
    sourcedId: "",
    loginId: "theo.tryout",
    email: "theo.tryout@placeholder-prairie.example",
    note: "Teacher in a district without OneRoster",
  },
];
