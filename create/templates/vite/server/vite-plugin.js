/**
 * Serves the gateway and the API beside the page in development, as index.js does in production.
 *
 * @type {import("vite").Plugin}
 */
export const server = {
  name: "server",
  async configureServer({ middlewares }) {
    // Not at the top: a build has no secrets.
    const { app } = await import("./app.js");
    middlewares.use(app);
  },
};
