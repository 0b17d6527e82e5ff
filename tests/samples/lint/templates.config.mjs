/** typescript-eslint at its strictest, for an application that was made from a template. The folder is the working directory. */

import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/**", ".next/**", "next-env.d.ts", "**/*.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.ts", "**/*.tsx"],
    languageOptions: {
      parserOptions: { project: "tsconfig.json", tsconfigRootDir: process.cwd() },
    },
  },
);
