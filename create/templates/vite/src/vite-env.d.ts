interface ImportMetaEnv {
  readonly VITE_CLASSLINK_CLIENT_ID: string;
  readonly VITE_CLASSLINK_ISSUER?: string;
}
