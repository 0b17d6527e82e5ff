/**
 * Gives an application's components the client and its state.
 *
 * @packageDocumentation
 */

import {
  type App,
  type ComputedRef,
  computed,
  getCurrentInstance,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onMounted,
  type Plugin,
  type ShallowRef,
  shallowRef,
  toValue,
} from "vue";
import type { ClassLinkError } from "../errors.js";
import { requireClient } from "../frameworks/given-client.js";
import { loginGate } from "../frameworks/login-gate.js";
import { sessionExpiry } from "../frameworks/session-expiry.js";
import { type ClassLinkMethods, isLoading, SERVER_SNAPSHOT } from "../frameworks/state.js";
import { ENGLISH_TEXTS, type Texts } from "../frameworks/texts.js";
import type {
  ClassLinkClient,
  RegisteredAppState,
  RegisteredClaims,
  Snapshot,
  Status,
  User,
} from "../types.js";

interface Provided {
  readonly client: ClassLinkClient;
  readonly snapshot: Readonly<ShallowRef<Snapshot>>;
  readonly texts: ComputedRef<Texts>;
}

const KEY: InjectionKey<Provided> = Symbol("classlink-spa");

/** The options of {@link createClassLink}, which takes a client alone as well. */
export interface ClassLinkPluginOptions<AppState = unknown, Claims = Record<string, unknown>> {
  /** The application's one client. */
  readonly client: ClassLinkClient<AppState, Claims>;
  /** Other texts for the components: an object, or a ref or a getter that follows the page's language. Default: English. */
  readonly texts?: MaybeRefOrGetter<Partial<Texts> | undefined>;
}

/** The members of vue-router's `Router` that this package uses. */
export interface ResolvingRouter {
  /** Returns the address of a route, with the router's base. */
  resolve(to: string): { readonly href: string };
}

/** The applications that use a client's plugin. */
const apps = new WeakMap<object, App>();

/** Returns the router of the application that uses a client's plugin. */
export function routerOf(client: object): ResolvingRouter | undefined {
  return apps.get(client)?.config.globalProperties.$router as ResolvingRouter | undefined;
}

/**
 * Creates the plugin: `app.use(createClassLink(client))`. On a server it subscribes to nothing, and the status is
 * `"loading"`. It neither creates nor closes a client.
 *
 * @throws `ClassLinkError` `config_invalid` without a client.
 */
export function createClassLink<AppState = unknown, Claims = Record<string, unknown>>(
  clientOrOptions: ClassLinkClient<AppState, Claims> | ClassLinkPluginOptions<AppState, Claims>,
): Plugin {
  const { client: given, texts }: ClassLinkPluginOptions<AppState, Claims> =
    "client" in (clientOrOptions ?? {})
      ? (clientOrOptions as ClassLinkPluginOptions<AppState, Claims>)
      : { client: clientOrOptions as ClassLinkClient<AppState, Claims> };
  requireClient(given, "createClassLink");
  const client = given as unknown as ClassLinkClient;
  return {
    install(app) {
      const snapshot = shallowRef<Snapshot>(SERVER_SNAPSHOT);
      const allTexts = computed(() => ({ ...ENGLISH_TEXTS, ...toValue(texts) }));
      app.provide(KEY, { client, snapshot, texts: allTexts });
      if (typeof window === "undefined") return;
      apps.set(given, app);

      const follow = () => {
        snapshot.value = client.getSnapshot();
      };
      follow();
      const stops = [
        client.subscribe(follow),
        loginGate(client).watch(),
        sessionExpiry(client).watch(),
      ];
      const unmount = app.unmount;
      app.unmount = () => {
        for (const stop of stops) stop();
        unmount();
      };
    },
  };
}

/** Returns what the application's plugin provides. */
export function injectProvided(): Provided {
  const provided = inject(KEY, null);
  if (!provided) throw new Error("classlink-spa/vue needs app.use(createClassLink(client)).");
  const snapshot = whenHydrated(provided.snapshot);
  return { ...provided, snapshot };
}

/** Returns the snapshot: `"loading"`, as on the server, until a component that a server rendered is hydrated. */
function whenHydrated(snapshot: Readonly<ShallowRef<Snapshot>>): Readonly<ShallowRef<Snapshot>> {
  // A component that is being hydrated has an element before it is mounted; others do not.
  if (!getCurrentInstance()?.vnode.el) return snapshot;
  const hydrated = shallowRef(false);
  onMounted(() => {
    hydrated.value = true;
  });
  return computed(() => (hydrated.value ? snapshot.value : SERVER_SNAPSHOT));
}

/** The result of {@link useClassLink}. */
export type UseClassLink<
  AppState = RegisteredAppState,
  Claims = RegisteredClaims,
> = ClassLinkMethods<AppState, Claims> & {
  readonly status: ComputedRef<Status>;
  /** The user who is signed in, if any. */
  readonly user: ComputedRef<User<Claims> | null>;
  /** The scope that was granted; empty if no user is signed in. */
  readonly scope: ComputedRef<readonly string[]>;
  /** The error; `null` in every status but `"error"`. */
  readonly error: ComputedRef<ClassLinkError | null>;
  readonly isSignedIn: ComputedRef<boolean>;
  /** Whether to wait: it is not known yet who is signed in, or the page is about to be left. */
  readonly isLoading: ComputedRef<boolean>;
};

/**
 * Returns the client's state as refs, and its methods. For `setup`, and for functions that run in an application's context.
 *
 * ```vue
 * <script setup>
 * const { user, isLoading, startLogin } = useClassLink();
 * </script>
 *
 * <template>
 *   <Spinner v-if="isLoading" />
 *   <p v-else-if="user">Hello {{ user.givenName }}</p>
 *   <button v-else @click="startLogin()">Sign in</button>
 * </template>
 * ```
 *
 * @throws Error if the application doesn't use {@link createClassLink}.
 */
export function useClassLink<
  AppState = RegisteredAppState,
  Claims = RegisteredClaims,
>(): UseClassLink<AppState, Claims> {
  const { client, snapshot } = injectProvided();
  const { startLogin, logout, getAccessToken, fetch } = client;
  const refs = {
    status: computed(() => snapshot.value.status),
    user: computed(() => snapshot.value.user),
    scope: computed(() => snapshot.value.scope),
    error: computed(() => snapshot.value.error),
    isSignedIn: computed(() => snapshot.value.status === "signed-in"),
    isLoading: computed(() => isLoading(snapshot.value.status)),
  };
  const methods = { startLogin, logout, getAccessToken, fetch, client };
  return { ...refs, ...methods } as unknown as UseClassLink<AppState, Claims>;
}
