import { createClient } from "classlink-spa";
import { createPinia, defineStore } from "pinia";
import { ref } from "vue";
import { fetchClasses } from "./api";

export const pinia = createPinia();

/** Restores each store to its state before a user signs in. */
const resets = new Set<() => void>();

pinia.use(({ store }) => {
  const initial = JSON.stringify(store.$state);
  resets.add(() => {
    store.$state = JSON.parse(initial) as typeof store.$state;
  });
});

export const client = createClient({
  clientId: "my-app",
  redirectUri: "https://app.example/callback",
  gateway: "/auth",
  // Called before the new user is shown.
  onUserChange: () => {
    for (const reset of resets) reset();
  },
});

export const useClasses = defineStore("classes", () => {
  const names = ref<string[]>([]);

  async function load() {
    const before = client.getSnapshot().user?.id;
    const loaded = await fetchClasses();
    // What comes late is for a user who is gone.
    if (client.getSnapshot().user?.id === before) names.value = loaded;
  }

  return { names, load };
});
