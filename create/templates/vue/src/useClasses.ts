import { defineStore } from "pinia";
import { ref } from "vue";
import { fetchClasses } from "./api";
import { client } from "./client";

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
