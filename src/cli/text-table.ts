/** One cell: what it says, and how it is painted once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Lines of a table with aligned columns, two spaces between them, indented by two. */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly (Cell | string)[])[],
): string[] {
  const all = [headings, ...rows].map(row =>
    row.map(cell => (typeof cell === 'string' ? { text: cell } : cell)),
  );
  const widths = headings.map((_, column) => Math.max(...all.map(row => row[column]?.text.length ?? 0)));
  return all.map(row => {
    const cells = row.map(({ text, paint }: Cell, column) => {
      const padding = column === row.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - text.length);
      return (paint?.(text) ?? text) + padding;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
