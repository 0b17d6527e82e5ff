import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";
import { server } from "./server/vite-plugin.js";

export default defineConfig({ plugins: [vue(), server] });
