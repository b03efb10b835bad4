import { useState } from 'preact/hooks';

/** The first of a list, and more of it each time somebody asks. */
export function usePages<Item>(items: readonly Item[], size: number) {
  const [pages, setPages] = useState(1);
  return {
    shown: items.slice(0, pages * size),
    more: Math.max(0, items.length - pages * size),
    showMore: () => {
      setPages(pages + 1);
    },
  };
}
