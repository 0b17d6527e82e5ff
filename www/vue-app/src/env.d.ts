/// <reference types="vite/client" />

declare module "*.vue" {
  import type { Component } from "vue";

  const component: Component;
  export default component;
}

/** As in the React app, which explains them. */
interface ImportMetaEnv {
  readonly VITE_CLIENT_ID?: string;
  readonly VITE_ISSUER?: string;
  readonly VITE_METADATA?: string;
  readonly VITE_GATEWAY?: string;
  readonly VITE_IDLE_TIMEOUT?: string;
}
