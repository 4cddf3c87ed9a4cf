/** The longest rendering of a value in a problem, a message or a key. */
export const MAX_RENDERED = 80;

// Characters that JSON leaves alone and that still break or turn round a line on a terminal.
const UNPRINTABLE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** What stands between `//` and `@` in a URL: a user name and perhaps a password. */
const USERINFO = /\/\/[^/\s@]*@/g;

/**
 * Renders any value on one line of at most {@link MAX_RENDERED} characters. Never runs the value's own code (no
 * toString, no getter, no proxy trap) and never shows what an object or a function holds.
 */
export function renderValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return cut(escapeText(JSON.stringify(cut(value, 1000).replace(USERINFO, '//***@'))));
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      // Past 64 digits the digits say nothing, and printing them takes time that grows with their square.
      return value > -(10n ** 64n) && value < 10n ** 64n ? `${String(value)}n` : 'a huge bigint';
    case 'symbol':
      return cut(escapeText(String(value)));
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'function':
      return 'function';
    case 'object':
      return value === null ? 'null' : describeObject(value);
  }
}

/** Renders a property name: as it is where it is plain, quoted and cut where it is not. */
export function renderName(name: string): string {
  return /^[\w$.-]{1,80}$/.test(name) ? name : renderValue(name);
}

function describeObject(value: object): string {
  try {
    return Array.isArray(value) ? 'an array' : 'an object';
  } catch {
    // Array.isArray throws for a revoked proxy, and only for that.
    return 'a revoked proxy';
  }
}

function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function cut(text: string, length = MAX_RENDERED): string {
  if (text.length <= length) return text;
  // Half of a surrogate pair must not be left at the end.
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
