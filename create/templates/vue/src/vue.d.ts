/** For tools that read TypeScript and not Vue, such as linters. */
declare module "*.vue" {
  import type { Component } from "vue";

  const component: Component;
  export default component;
}
