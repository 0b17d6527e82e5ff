/** typescript-eslint at its strictest, as many applications run it, for the documentation's samples. */

import { join } from "node:path";
import tseslint from "typescript-eslint";

const samples = join(import.meta.dirname, "../../../target/samples");

export default tseslint.config(
  { ignores: ["**/*.component.ts", "**/*.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.ts", "**/*.tsx"],
    languageOptions: {
      parserOptions: { project: join(samples, "tsconfig.json"), tsconfigRootDir: samples },
    },
    rules: {
      // What a sample declares is for its reader to use.
      "@typescript-eslint/no-unused-vars": "off",
    },
  },
);
