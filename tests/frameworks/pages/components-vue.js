/** As `components-react.jsx`, in Vue. `/classes` has no guard: Vue's is for routers. */

import { createTestClient } from "classlink-spa/testing";
import {
  CallbackPage,
  createClassLink,
  SessionExpiring,
  SignedIn,
  SignedOut,
  SignInButton,
  SignOutButton,
} from "classlink-spa/vue";
import { createApp, defineComponent, h, shallowRef } from "vue";

const { scenario = {} } = window;
const client = createTestClient({
  ...scenario.client,
  // As an application does whose language can change.
  messages: ({ code }) =>
    document.documentElement.lang === "es" ? scenario.spanish?.[code] : undefined,
});
const texts = shallowRef(scenario.texts);
Object.assign(window, {
  client,
  setTexts: (next) => {
    texts.value = next;
  },
});
new Function("client", scenario.setup ?? "")(client);

const Home = () => [
  h("h1", "My classes"),
  h(SignedIn, null, { default: ({ user }) => h("p", `Hello, ${user.givenName}`) }),
  h(SignedIn, () =>
    h(SignOutButton, { onSignedOut: (result) => Object.assign(window, { signedOut: result }) }),
  ),
  h(SignedOut, () =>
    h(SignInButton, {
      loginOptions: { prompt: "login" },
      id: "own-id",
      class: "own-class",
      onClick: (event) => scenario.custom && event.preventDefault(),
    }),
  ),
];

const App = defineComponent(() => {
  const path = shallowRef(location.pathname);
  const onSignedIn = async (result) => {
    history.replaceState(null, "", result.returnTo);
    Object.assign(window, { went: result });
    path.value = new URL(result.returnTo, location.href).pathname;
  };
  return () => [
    h(
      "main",
      path.value === "/callback" ? h(CallbackPage, scenario.routed ? { onSignedIn } : {}) : Home(),
    ),
    h(SessionExpiring),
  ];
});

createApp(App).use(createClassLink({ client, texts })).mount("#root");
