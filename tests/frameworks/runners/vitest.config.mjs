export default {
  test: { environment: "jsdom", globals: true, include: ["*.spec.mjs"], watch: false },
};
