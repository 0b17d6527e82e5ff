/** The app's pages and their addresses. */

import { Route, Routes } from "react-router";
import { Layout } from "./components/Layout";
import { SignedIn } from "./components/SignedIn";
import { CallbackPage } from "./pages/CallbackPage";
import { HelpDeskPage } from "./pages/HelpDeskPage";
import { HomePage } from "./pages/HomePage";
import { LaunchPage } from "./pages/LaunchPage";
import { NotFoundPage } from "./pages/NotFoundPage";
import { ShelfPage } from "./pages/ShelfPage";
import { SignedOutPage } from "./pages/SignedOutPage";

/** Every page within the common frame. */
export function App() {
  return (
    <Routes>
      <Route element={<Layout />}>
        <Route index element={<HomePage />} />
        <Route path="callback" element={<CallbackPage />} />
        <Route path="launch" element={<LaunchPage />} />
        <Route
          path="shelf"
          element={
            <SignedIn>
              <ShelfPage />
            </SignedIn>
          }
        />
        <Route path="help-desk" element={<HelpDeskPage />} />
        <Route path="signed-out" element={<SignedOutPage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}
