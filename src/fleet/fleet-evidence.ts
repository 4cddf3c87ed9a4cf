import type { Evidence } from '../guard/verdict.js';
import { TCP_CLOSE } from '../kernel/tcp-info.js';
import type { Bucket } from './bucket.js';
import { clearlyLonger, fatalSilence, type Lesson } from './lesson.js';
import { RECENT_MS, type Occasion } from './occasion.js';
import { look } from './sweep.js';

/** Siblings looked at for one verdict: enough to see a pattern, few enough for a burst of a thousand deaths. */
const SAMPLE = 8;

/** What siblings and earlier deaths say of a reset. Positive weights speak for the network. */
export function evidenceOf(known: {
  readonly bucket: Bucket | undefined;
  readonly lesson: Lesson | undefined;
  readonly occasion: Occasion | undefined;
  readonly silence: number | undefined;
}): Evidence[] {
  const { bucket, lesson, occasion, silence } = known;
  if (silence === undefined || silence < RECENT_MS) return [];
  const found: Evidence[] = [];
  if (lesson !== undefined) found.push(...lessonEvidence(lesson, silence));
  if (occasion !== undefined) found.push(...occasionEvidence(occasion));
  else if (bucket !== undefined) found.push(...siblingEvidence(bucket));
  return found;
}

function lessonEvidence(lesson: Lesson, silence: number): Evidence[] {
  const { survived, forgotten, weight } = lesson;
  if (survived > 0 && clearlyLonger(survived, silence)) {
    const detail = `flows to this target have outlived ${Math.round(survived)} ms of silence`;
    return [{ fact: 'longer-silence-survived', weight: -1.5, detail }];
  }
  const fatal = fatalSilence(lesson);
  if (fatal === undefined || forgotten === undefined || weight < 2) return [];
  if (clearlyLonger(fatal, silence) || clearlyLonger(silence, fatal)) return [];
  const detail = `flows to this target were found forgotten after ${Math.round(fatal)} ms before`;
  return [{ fact: 'recurring-silence', weight: 1, detail }];
}

function occasionEvidence({ lived, dead, diedActive }: Occasion): Evidence[] {
  const found: Evidence[] = [];
  if (lived > 0) found.push(siblingsLived(lived));
  if (diedActive > 0) found.push(siblingsDiedActive(diedActive));
  else if (dead > 1) {
    const detail = `${dead} long-silent sockets of this target were found dead together`;
    found.push({ fact: 'siblings-died-together', weight: 0.5, detail });
  }
  return found;
}

function siblingEvidence(bucket: Bucket): Evidence[] {
  let lived = 0;
  let died = 0;
  for (const guard of bucket.some(SAMPLE)) {
    const seen = look(guard);
    if (seen === undefined || seen.silence >= RECENT_MS) continue;
    if (seen.info.state === TCP_CLOSE) died++;
    else lived++;
  }
  return [...(lived > 0 ? [siblingsLived(lived)] : []), ...(died > 0 ? [siblingsDiedActive(died)] : [])];
}

function siblingsLived(count: number): Evidence {
  return { fact: 'siblings-lived', weight: 1, detail: `${count} less silent sockets of this target live on` };
}

function siblingsDiedActive(count: number): Evidence {
  const detail = `${count} sockets of this target died in use at the same time`;
  return { fact: 'siblings-died-active', weight: -1.5, detail };
}
