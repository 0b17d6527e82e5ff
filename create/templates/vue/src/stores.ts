import { createPinia } from "pinia";

export const pinia = createPinia();

/** Restores each store to its state before a user signs in. */
const resets = new Set<() => void>();

pinia.use(({ store }) => {
  const initial = JSON.stringify(store.$state);
  resets.add(() => {
    store.$state = JSON.parse(initial) as typeof store.$state;
  });
});

export function resetStores() {
  for (const reset of resets) reset();
}
