import type { Duplex } from 'node:stream';
import { questionNamed } from '../questions.js';
import type { StreamQuestion } from '../question.js';
import { answerRequests, jobFromArguments } from './child-side.js';
import { opener } from './contenders.js';
import { ACKNOWLEDGEMENT, headerBytes } from './header.js';
import type { ClientJob, ClientRequest, SliceTime } from './messages.js';

/** The measured process: one contender, one connection (or one sample), timed from inside. */

const job = jobFromArguments() as ClientJob;
const question = questionNamed(job.question);

async function openConnection({ mode, sliceBytes }: StreamQuestion): Promise<Duplex> {
  const open = await opener(job.contender);
  const socket = open(job.address);
  const letIn = new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
  socket.write(headerBytes({ mode, sliceBytes, verified: job.warmUp }));
  if (!(await letIn).equals(ACKNOWLEDGEMENT)) throw new Error('the server did not let the client in');
  // From here on a lost connection must end the measurement, not hang it.
  socket.on('error', (error: Error) => void setImmediate(() => fatal(error)));
  socket.on('close', () => fatal(new Error('the connection was closed during the measurement')));
  return socket;
}

function fatal(error: Error): never {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(1);
}

async function timed(slice: () => Promise<void>): Promise<SliceTime> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await slice();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: (user + system) / 1000 };
}

let slice: (() => Promise<void>) | undefined;

answerRequests<ClientRequest>({
  async open() {
    if (question.kind !== 'stream') throw new Error(`${question.name} has no connection to open`);
    const socket = await openConnection(question);
    slice = question.prepare(socket, { contender: job.contender, verified: job.warmUp });
  },
  async slice() {
    if (slice === undefined) throw new Error('not open yet');
    return timed(slice);
  },
  async sample() {
    if (question.kind !== 'sample') throw new Error(`${question.name} is measured in slices`);
    return question.sample(job.contender, job.address, job.quick);
  },
});
