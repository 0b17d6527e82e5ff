import type { Metadata } from "next";
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
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
