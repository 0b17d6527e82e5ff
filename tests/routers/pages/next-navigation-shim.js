/** In place of `next/navigation`: the page says what `refresh` does. */

export const useRouter = () => window.router;
