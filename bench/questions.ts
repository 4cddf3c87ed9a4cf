import type { Question } from './question.js';
import { bulkDownload } from './questions/bulk-download.js';
import { bulkUpload } from './questions/bulk-upload.js';
import { hardenCost } from './questions/harden-cost.js';
import { memory } from './questions/memory.js';
import { pingPong } from './questions/ping-pong.js';
import { pipe } from './questions/pipe.js';
import { pipelinedWrites } from './questions/pipelined-writes.js';
import { probe } from './questions/probe.js';
import { startUp } from './questions/start-up.js';
import { tcpInfo } from './questions/tcp-info.js';
import { overTls } from './questions/tls.js';
import { writeGate } from './questions/write-gate.js';

/** All of them, in the order they are asked. */
export const questions: readonly Question[] = [
  bulkUpload,
  bulkDownload,
  pingPong,
  pipelinedWrites,
  pipe,
  ...overTls,
  memory,
  hardenCost,
  writeGate,
  probe,
  tcpInfo,
  startUp,
];

export function questionNamed(name: string): Question {
  const found = questions.find(question => question.name === name);
  if (found === undefined) throw new Error(`there is no question "${name}"`);
  return found;
}
