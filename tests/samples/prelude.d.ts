// What the documentation's samples take for granted: an app's own names, which a reader has, too.

declare module "*.vue" {
  const component: import("vue").Component;
  export default component;
}

/** As Vite has it. */
interface ImportMeta {
  readonly env: { readonly DEV: boolean };
}

/** The app's one client. */
declare const client: import("classlink-spa").ClassLinkClient;

// The same taken apart, as the README does.
declare const startLogin: typeof client.startLogin;
declare const handleCallback: typeof client.handleCallback;
declare const getUser: typeof client.getUser;

/** Shows an error to the user. */
declare function showError(text: string): void;

// Packages whose types a reader may have, and this repository has not.
declare module "express";
declare module "next/link" {
  const Link: import("react").FC<{ href: string; children?: import("react").ReactNode }>;
  export default Link;
}
declare module "next/navigation" {
  export function useRouter(): { replace(href: string): void; refresh(): void };
}
declare module "*.css";
declare module "@testing-library/react" {
  export function render(ui: import("react").ReactNode): void;
  export const screen: { getByRole(role: string, options: { name: string }): HTMLElement };
}
