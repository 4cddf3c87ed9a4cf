/** Text made safe for HTML and SVG, in content and in quoted attributes. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`);
}

type Attributes = Readonly<Record<string, string | number>>;

/** One element. `children` are markup already; strings from outside go through {@link escapeMarkup} first. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? String(Math.round(value * 100) / 100) : escapeMarkup(value);
    return ` ${key}="${text}"`;
  });
  return `<${name}${written.join('')}>${children.join('')}</${name}>`;
}
