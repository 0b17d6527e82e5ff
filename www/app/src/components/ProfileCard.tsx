/** Shows the fields of the user. */

import type { User } from "classlink-spa";
import type { ReactNode } from "react";

const ROLES: Record<NonNullable<User["role"]>, string> = {
  student: "Student",
  teacher: "Teacher",
  administrator: "Administrator",
  parent: "Parent",
  other: "Other",
};

/** Any field but the id may be missing: young students often have no e-mail address. */
export function ProfileCard({ user }: { readonly user: User }) {
  return (
    <section className="card" aria-labelledby="profile-title">
      <h2 id="profile-title">Your profile</h2>
      <dl className="profile">
        <Field label="Name">{user.name}</Field>
        <Field label="Role">{user.role && ROLES[user.role]}</Field>
        <Field label="District">{user.tenant && (user.tenant.name ?? user.tenant.id)}</Field>
        <Field label="E-mail" absent="No address, and none is needed here">
          {user.email}
        </Field>
      </dl>
    </section>
  );
}

interface FieldProps {
  readonly label: string;
  readonly absent?: string;
  readonly children: ReactNode;
}

function Field({ label, absent = "Not given by your district", children }: FieldProps) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className={children ? undefined : "absent"}>{children || absent}</dd>
    </div>
  );
}
