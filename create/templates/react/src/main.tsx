import { QueryClientProvider } from "@tanstack/react-query";
import { ClassLinkProvider, SessionExpiring } from "classlink-spa/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";
import { client } from "./client";
import { queryClient } from "./queries";
import { router } from "./router";
import "classlink-spa/styles.css";
import "./app.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root.");

createRoot(root).render(
  <StrictMode>
    <ClassLinkProvider client={client}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
      <SessionExpiring />
    </ClassLinkProvider>
  </StrictMode>,
);
