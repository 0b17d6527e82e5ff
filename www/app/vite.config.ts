import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { contentSecurityPolicy } from "./csp.ts";

export default defineConfig({
  plugins: [react(), contentSecurityPolicy()],
});
