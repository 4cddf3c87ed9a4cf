/** JSON for programs: every field always there, `null` where nothing is known. */
export function toJson(value: object): string {
  return JSON.stringify(value, (_, field: unknown) => (field === undefined ? null : field), 2);
}

/** Bumped when a field of the JSON output is renamed, removed or changes its meaning. New fields don't count. */
export const JSON_SCHEMA = 1;
