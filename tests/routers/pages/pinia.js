import { createClassLink, SignedIn } from "classlink-spa/vue";
import { createApp, defineComponent, h, onMounted } from "vue";
import { client, pinia, useClasses } from "../../../docs/recipes/pinia";

const Classes = defineComponent(() => {
  const classes = useClasses();
  onMounted(() => void classes.load());
  return () =>
    h(
      "ul",
      classes.names.map((name) => h("li", name)),
    );
});

createApp(() =>
  h(SignedIn, null, {
    default: ({ user }) => [h("h1", `Hello, ${user.givenName}`), h(Classes)],
  }),
)
  .use(createClassLink(client))
  .use(pinia)
  .mount("#root");
