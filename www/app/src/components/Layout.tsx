/** The frame around every page: header, main part, footer. */

import { NavLink, Outlet } from "react-router";
import { Account } from "./Account";
import { Announcer } from "./Announcer";
import { DeveloperPanel } from "./DeveloperPanel";
import { StillThere } from "./StillThere";

/** Landmarks, navigation, and what stays in place while pages change. */
export function Layout() {
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <header className="site-header">
        <div className="site-header-inner">
          <p className="wordmark">Reading Room</p>
          <nav aria-label="Pages">
            <NavLink to="/" end>
              Home
            </NavLink>
            <NavLink to="/shelf">Shelf</NavLink>
          </nav>
          <Account />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <footer className="site-footer">
        <DeveloperPanel />
        <p>Reading Room is a made-up school app that shows classlink-spa at work.</p>
      </footer>
      <StillThere />
      <Announcer />
    </>
  );
}
