/**
 * An application with an open page, one for users who are signed in, and the callback page. `render` is for servers.
 *
 * `window.scenario`: `client`, `setup` (see `support.mjs`); `own`: with slots of its own; `routed`: goes on after a sign-in
 * without loading a page; `guard`: options of `requireSignIn`; `global`: the guard stands before all routes; `texts`.
 */

import { createTestClient } from "classlink-spa/testing";
import { CallbackPage, createClassLink, requireSignIn, useClassLink } from "classlink-spa/vue";
import { createApp, createSSRApp, defineComponent, h, isRef, watchEffect } from "vue";
import { renderToString } from "vue/server-renderer";
import { createMemoryHistory, createRouter, createWebHistory, RouterView } from "vue-router";

const seen = [];

const Who = defineComponent(() => {
  const classLink = useClassLink();
  const { status, user, scope, error, isSignedIn, isLoading } = classLink;
  watchEffect(() => {
    seen.push({ status: status.value, refs: [user, scope, error, isSignedIn].every(isRef) });
  });
  return () =>
    h(
      "output",
      JSON.stringify({
        status: status.value,
        isLoading: isLoading.value,
        isSignedIn: isSignedIn.value,
        name: user.value?.name ?? null,
        scope: scope.value,
      }),
    );
});

const Private = defineComponent(() => {
  const { user } = useClassLink();
  return () => h("h1", `Classes of ${user.value?.name}`);
});

const SignedOut = defineComponent(() => {
  const { error, startLogin } = useClassLink();
  return () => [
    error.value && h("p", { role: "alert" }, error.value.code),
    h("button", { onClick: () => startLogin() }, "Sign in"),
  ];
});

function makeApp(create, client, scenario, history) {
  const { own, routed, guard, global } = scenario;
  const Callback = defineComponent(() => {
    const slots = own && {
      fallback: ({ status }) => h("p", `own fallback ${status}`),
      error: ({ error, retry }) => [
        h("p", `own error ${error.code}`),
        h("button", { onClick: retry }, "once more"),
      ],
    };
    const onSignedIn = (result) => {
      globalThis.went = [...(globalThis.went ?? []), { to: result.returnTo, result }];
      void router.replace(result.returnTo);
    };
    return () => h(CallbackPage, routed ? { onSignedIn } : {}, slots || undefined);
  });
  const guarded = requireSignIn(client, guard);
  const router = createRouter({
    history,
    routes: [
      { path: "/callback", component: Callback },
      { path: "/classes", component: Private, ...(!global && { beforeEnter: guarded }) },
      { path: "/signed-out", component: SignedOut },
      { path: "/:rest(.*)*", component: Who },
    ],
  });
  if (global) router.beforeEach(guarded);
  router.onError((error) => {
    globalThis.routerErrors = [...(globalThis.routerErrors ?? []), error.code ?? String(error)];
  });
  const { texts } = scenario;
  const app = create(RouterView)
    .use(createClassLink(texts ? { client, texts } : client))
    .use(router);
  return { app, router };
}

/** Renders a path as on a server. */
export async function render(path, scenario) {
  const client = createTestClient(scenario.client);
  const subscribed = [];
  const { subscribe } = client;
  /** @type {any} */ (client).subscribe = (listener) => {
    subscribed.push(listener);
    return subscribe(listener);
  };
  const { app, router } = makeApp(createSSRApp, client, scenario, createMemoryHistory());
  await router.push(path);
  const html = await renderToString(app);
  if (subscribed.length > 0) throw new Error("A server must not subscribe: it never stops.");
  return html;
}

if (typeof document !== "undefined") {
  const { scenario = {} } = window;
  const client = createTestClient(scenario.client);
  Object.assign(window, { client, seen });
  new Function("client", scenario.setup ?? "")(client);
  const root = document.getElementById("root");
  const create = root?.hasChildNodes() ? createSSRApp : createApp;
  const { app, router } = makeApp(create, client, scenario, createWebHistory());
  Object.assign(window, { app, router, go: (path) => router.push(path).catch(() => {}) });
  // As an application does that waits for its first route before it hydrates.
  await (create === createSSRApp && router.isReady().catch(() => {}));
  app.mount(root);
}
