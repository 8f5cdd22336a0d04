// Runs a command under a real kernel with device-mapper: `npm run guest -- [OPTION…] -- COMMAND…`.

import { parseArgs } from 'node:util';
import { DEFAULT_KERNEL, findKernel, installKernel, KERNELS, runInGuest, whyNot } from './uml.mjs';

const HELP = `usage: npm run guest -- [OPTION…] -- COMMAND [ARGUMENT…]

Boots User-Mode Linux over this machine's own files, loads device-mapper and runs COMMAND there, as
root, in this directory and environment. What it writes to files outside /dev and /run is real.

  --kernel NAME     ${Object.keys(KERNELS).join(', ')} (default ${DEFAULT_KERNEL}); installed if need be
  --mem SIZE        memory (default 512M)
  --disk SIZE       a scratch disk, again for more: /dev/ubda, /dev/ubdb, …
  --timeout SECONDS (default 300)
  --modules NAMES   kernel modules to load first (default "dm-mod loop")
  --klog FILE       write the kernel log there
  --keep            leave the temporary directory behind
  --help

Exit codes: COMMAND's own; 124 time-out, 125 the guest died, 126 wrong usage or no kernel.`;

const OPTIONS = {
  kernel: { type: 'string', default: DEFAULT_KERNEL },
  mem: { type: 'string' },
  disk: { type: 'string', multiple: true },
  timeout: { type: 'string' },
  modules: { type: 'string' },
  klog: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean' },
};

/** Our options end at `--` or at the first word that is none: the rest is the command's, options too. */
function parseCommandLine(args) {
  const lenient = { args, options: OPTIONS, strict: false, tokens: true };
  const end = parseArgs(lenient).tokens.find(({ kind }) => kind !== 'option');
  const { values } = parseArgs({ args: args.slice(0, end?.index), options: OPTIONS });
  const command = end ? args.slice(end.kind === 'positional' ? end.index : end.index + 1) : [];
  return { values, command };
}

async function main() {
  const { values, command } = parseCommandLine(process.argv.slice(2));
  if (values.help) return console.log(HELP);
  if (command.length === 0) throw new Error('no command given; see --help');
  const seconds = Number(values.timeout ?? 300);
  if (!(seconds > 0)) throw new Error(`--timeout: expected seconds, got "${values.timeout}"`);

  const { kernel } = values;
  const obstacle = whyNot(kernel);
  if (obstacle) throw new Error(obstacle);
  if (!findKernel(kernel)) await installKernel(kernel, { log: complain });
  const { exitCode } = await runInGuest(command, {
    kernel,
    mem: values.mem,
    disks: values.disk,
    timeoutMs: seconds * 1000,
    modules: values.modules?.split(' '),
    klog: values.klog,
    keep: values.keep,
  });
  process.exitCode = exitCode;
}

const complain = (message) => console.error(`guest: ${message}`);

// The reader has gone (`… | head`): end as SIGPIPE would have ended us, and the guest with us.
process.stdout.on('error', () => process.exit(141));

await main().catch((error) => {
  complain(error.message);
  process.exitCode = 126;
});
