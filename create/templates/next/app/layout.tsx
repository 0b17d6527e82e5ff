import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import "classlink-spa/styles.css";
import "./globals.css";
import { PreloadWasm } from "./preload-wasm";
import { Providers } from "./providers";

export const metadata: Metadata = { title: "My classes" };

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <PreloadWasm />
        <header>
          <Link href="/">My app</Link>
        </header>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
