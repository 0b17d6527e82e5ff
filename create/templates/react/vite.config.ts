import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { server } from "./server/vite-plugin.js";

export default defineConfig({ plugins: [react(), server] });
