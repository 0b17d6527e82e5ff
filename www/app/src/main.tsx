/** Starts the app: reads the configuration, makes the client, renders. */

import { createClient, isClassLinkError } from "classlink-spa";
import { ClassLinkProvider } from "classlink-spa/react";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App";
import { SetupPage } from "./pages/SetupPage";
import { recordEvent } from "./session/eventLog";
import { readSettings } from "./session/settings";
import "./styles.css";

function start(): ReactNode {
  const settings = readSettings(import.meta.env);
  if ("problems" in settings) return <SetupPage problems={settings.problems} />;
  try {
    const client = createClient({ ...settings.config, onEvent: recordEvent });
    // Every page needs it soon. Should loading fail, the call that needs it says so.
    client.preload().catch(() => undefined);
    return (
      <ClassLinkProvider client={client}>
        <BrowserRouter>
          <App />
        </BrowserRouter>
      </ClassLinkProvider>
    );
  } catch (error) {
    // A mistake in the configuration: the message names the field and the remedy.
    if (!isClassLinkError(error)) throw error;
    return <SetupPage problems={[error.message]} />;
  }
}

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(<StrictMode>{start()}</StrictMode>);
