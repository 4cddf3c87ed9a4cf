/** Whose FIN came first, once the peer's has been read. */
export type End = 'none' | 'peer-first' | 'local-first';

/** What a guard has learned of its connection, for the reckoning at its end. */
export interface Course {
  readonly countsSyn: boolean;
  readonly end: End;
}

/** Few combinations and many sockets: they share these. */
const COURSES: readonly Course[] = [true, false].flatMap(countsSyn =>
  (['none', 'peer-first', 'local-first'] as const).map(end => ({ countsSyn, end })),
);

export function courseOf(countsSyn: boolean, end: End): Course {
  return COURSES.find(course => course.countsSyn === countsSyn && course.end === end) ?? { countsSyn, end };
}
