import react from "@vitejs/plugin-react";
import { classLinkSpa } from "classlink-spa/vite";
import { defineConfig } from "vite";
import { server } from "./server/vite-plugin.js";

export default defineConfig({ plugins: [react(), classLinkSpa(), server] });
