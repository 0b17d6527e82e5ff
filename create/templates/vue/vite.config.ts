import vue from "@vitejs/plugin-vue";
import { classLinkSpa } from "classlink-spa/vite";
import { defineConfig } from "vite";
import { server } from "./server/vite-plugin.js";

export default defineConfig({ plugins: [vue(), classLinkSpa(), server] });
