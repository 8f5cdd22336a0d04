// One side of one job, in a process of its own: `contender.js JOB PEER SIDE`, by their indexes. It says
// first what its result is, so that the two sides can be compared, and then runs as often as it is told.

import { JOBS, digest } from './jobs.js';

/** Run for about `ms`, or just `times` times. */
export type Order = { readonly ms: number } | { readonly times: number };

/** The answer: how often it ran, and how long that took. */
export interface Taken {
  readonly times: number;
  readonly ns: number;
}

/** The first message: the result's digest. */
export interface Ready {
  readonly digest: string;
}

const [index, peer, side] = process.argv.slice(2);
const job = JOBS[Number(index)]!;
const { way } = job.peers[Number(peer)]!;
const make = side === 'peer' && typeof way === 'function' ? way : job.pkg;
const { run, essence } = await make();
let last = run();
const answer = digest((typeof way === 'function' ? essence : way.essence)(last));

process.on('message', (order: Order) => {
  send('ms' in order ? runFor(order.ms) : runTimes(order.times));
});
// Once, after the input was made: what the runs leave behind is collected at their own cost.
globalThis.gc?.();
send({ digest: answer });

function send(message: Ready | Taken): void {
  process.send?.(message);
}

function runTimes(times: number): Taken {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < times; i++) last = run();
  return { times, ns: Number(process.hrtime.bigint() - begin) };
}

/** In lots that grow to 5 ms, so that the clock is not what is warmed up. Tells of the last lot. */
function runFor(ms: number): Taken {
  const end = performance.now() + ms;
  let taken = runTimes(1);
  while (performance.now() < end) {
    taken = runTimes(taken.ns < 5e6 ? 2 * taken.times : taken.times);
  }
  return taken;
}

// In sight of others: a result that nobody could look at need not be made.
export { last };
