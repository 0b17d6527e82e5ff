export default {
  test: {
    environment: "jsdom",
    globals: true,
    include: ["*.spec.mjs"],
    watch: false,
    // A thread starts at a fraction of a process's cost, and Vitest gives up on one that takes long.
    pool: "threads",
    // The test that runs this has a time limit of its own.
    testTimeout: 0,
    hookTimeout: 0,
  },
};
