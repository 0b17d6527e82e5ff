import react from "@vitejs/plugin-react";
import { classLinkSpa } from "classlink-spa/vite";
import { defineConfig } from "vite";
import { contentSecurityPolicy } from "./csp.ts";
import { bookmarkApi } from "./server/bookmarks.ts";
import { gateway } from "./server/gateway.ts";

export default defineConfig({
  plugins: [react(), classLinkSpa(), contentSecurityPolicy(), gateway(), bookmarkApi()],
});
