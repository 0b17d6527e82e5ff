import { ClassLinkProvider } from "classlink-spa/react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";
import { router } from "../../../docs/recipes/react-router";
import { client } from "./client.js";

Object.assign(window, { router });
createRoot(/** @type {HTMLElement} */ (document.getElementById("root"))).render(
  <ClassLinkProvider client={client}>
    <RouterProvider router={router} />
  </ClassLinkProvider>,
);
