import vue from "@vitejs/plugin-vue";
import { classLinkSpa } from "classlink-spa/vite";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [vue(), classLinkSpa()] });
