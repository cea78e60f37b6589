/** The areas tree as a flat list of visible rows, each loaded when its parent opens. Pure. */
import type { Area } from "@shared/api/areas";

export interface TreeRow {
  area: Area;
  depth: number;
  open: boolean;
}

export function visibleRows(children: ReadonlyMap<number | "root", Area[]>, open: ReadonlySet<number>): TreeRow[] {
  const rows: TreeRow[] = [];
  const walk = (parent: number | "root", depth: number): void => {
    for (const area of children.get(parent) ?? []) {
      const isOpen = open.has(area.id);
      rows.push({ area, depth, open: isOpen });
      if (isOpen) walk(area.id, depth + 1);
    }
  };
  walk("root", 0);
  return rows;
}

/** The row that holds the parent of row `index`; -1 at the top. */
export function parentIndex(rows: readonly TreeRow[], index: number): number {
  const depth = rows[index]?.depth ?? 0;
  for (let at = index - 1; at >= 0; at--) if (rows[at]!.depth < depth) return at;
  return -1;
}
