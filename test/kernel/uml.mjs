// Real device-mapper kernels on any Linux machine. User-Mode Linux (UML) is a whole Linux kernel as one
// ordinary program, and Debian's has all dm modules. Its root file system is the host's (hostfs), so
// node, this repository and the tools are simply there: no image is built, nothing is copied in.
//
// Beware: guest root writes real host files, with the rights of the user who runs UML. Only what lies in
// /dev, /run, /proc and /sys is the guest's own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import * as setup from '../setup.mjs';

/** Each kernel and the Debian release that it comes from; 7.x is whatever sid has. */
export const KERNELS = { '5.10': 'bullseye', 6.1: 'bookworm', 6.12: 'trixie', '7.x': 'sid' };
export const DEFAULT_KERNEL = '6.1';
/** On which the tests run if none is named: what holds on one kernel only is no fact of device-mapper's. */
export const TEST_KERNELS = [DEFAULT_KERNEL, '6.12'];

const CACHE = process.env.DM_KERNELS ?? '/var/tmp/dm-kernels';
const MODPROBE = '/sbin/modprobe';
const LOADER = '/lib64/ld-linux-x86-64.so.2';

/** Whether this processor has AMX: kernels before 7 then need help, see ptrace.c. */
const HAS_AMX =
  fs.existsSync('/proc/cpuinfo') &&
  /^flags\b.* amx_tile\b/m.test(fs.readFileSync('/proc/cpuinfo', 'utf8'));

/** The compiler for ptrace.c, installed or unpacked. */
const findCompiler = () =>
  ['/', join(CACHE, 'tcc')].map((root) => join(root, 'usr/bin/tcc')).find(fs.existsSync);

/** `{ name, root, binary, modules }` of a kernel that can run, installed or unpacked; or undefined. */
export function findKernel(name) {
  if (!Object.hasOwn(KERNELS, name) || !fs.existsSync(MODPROBE)) return undefined;
  if (HAS_AMX && !findCompiler()) return undefined;
  const series = `${name.replace(/\.x$/, '')}.`;
  const isSeries = (version) => version.startsWith(series);
  return ['/', join(CACHE, name)]
    .map((root) => ({
      name,
      root,
      binary: join(root, 'usr/bin/linux.uml'),
      modules: join(root, 'usr/lib/uml/modules'),
    }))
    .filter(({ binary, modules }) => fs.existsSync(binary) && fs.existsSync(modules))
    .find(({ root, modules }) => root !== '/' || fs.readdirSync(modules).some(isSeries));
}

/** Why kernel `name` can neither run nor be installed here, as a sentence; undefined if it can. */
export function whyNot(name) {
  if (!Object.hasOwn(KERNELS, name)) {
    return `there is no kernel ${name}, only ${Object.keys(KERNELS).join(', ')}`;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return 'User-Mode Linux needs Linux on x86-64';
  }
  if (findKernel(name)) return undefined;
  const obstacle = fs.existsSync(MODPROBE) ? setup.whyNotUnpack() : setup.whyNotInstall();
  const needed = [...setup.packages.kernel, ...(HAS_AMX ? setup.packages.amx : [])].join(' and ');
  return obstacle && `kernel ${name} needs the Debian packages ${needed}: ${obstacle}`;
}

/**
 * Make kernel `name` available, after saying by `log` what that takes. Root gets its own release's
 * kernel as a package; any other is unpacked into the cache and leaves the system alone.
 * The guest sees this machine's programs: root also gets those of `suites`.
 */
export async function installKernel(name, { suites = [], log = console.error } = {}) {
  const obstacle = whyNot(name);
  if (obstacle) throw new Error(obstacle);
  const release = KERNELS[name];
  const packaged = release === setup.debianRelease() && !setup.whyNotInstall();
  if (packaged || !fs.existsSync(MODPROBE)) await setup.ensure('kernel', { log });
  if (!setup.whyNotInstall()) for (const suite of suites) await setup.ensure(suite, { log });
  if (HAS_AMX && !findCompiler()) {
    if (!setup.whyNotInstall()) await setup.ensure('amx', { log });
    else await setup.unpack(setup.debianRelease(), setup.packages.amx, join(CACHE, 'tcc'), { log });
  }
  if (findKernel(name)) return;
  // With its own libc, for it may be newer than the host's.
  await setup.unpack(release, [...setup.packages.kernel, 'libc6'], join(CACHE, name), { log });
}

/**
 * Boot a kernel, run `command` in it with the caller's directory and environment, and power off.
 *
 * A child that outlives the command and holds its stdout keeps the guest up until the time-out.
 *
 * @param {string[]} command - program and arguments; its stdin is /dev/null
 * @param {object} [options]
 * @param {string} [options.kernel] - one that {@link findKernel} finds
 * @param {string} [options.mem] - 256M runs node, 512M is comfortable
 * @param {string[]} [options.disks] - sizes of scratch disks: /dev/ubda, /dev/ubdb, …, gone afterwards
 * @param {number} [options.timeoutMs]
 * @param {string[]} [options.modules] - loaded first; targets load when a table names them
 * @param {string} [options.cwd]
 * @param {Record<string, string | undefined>} [options.env]
 * @param {Writable | 'pipe'} [options.stdout] - 'pipe' collects a string
 * @param {Writable | 'pipe'} [options.stderr]
 * @param {string} [options.klog] - a file for the kernel log
 * @param {boolean} [options.keep] - leave the temporary directory, and say where it is
 * @param {AbortSignal} [options.signal]
 * @param {string[]} [options.kernelArgs] - more words for the kernel's command line
 * @returns {Promise<{ exitCode: number, stdout?: string, stderr?: string, kernelLog: string }>}
 *   `exitCode` is the command's own, 124 after the time-out, 125 when the guest died before
 * @throws {Error} the kernel is not here, a size is no size; or the reason of `signal`
 */
export async function runInGuest(command, options = {}) {
  const { kernel: name = DEFAULT_KERNEL, timeoutMs = 300_000, klog, keep, signal } = options;
  const { stdout = process.stdout, stderr = process.stderr } = options;
  const kernel = findKernel(name);
  if (!kernel) throw new Error(`kernel ${name} is not here; installKernel() gets it`);
  const [mem, ...disks] = [options.mem ?? '512M', ...(options.disks ?? [])].map(parseSize);
  signal?.throwIfAborted();

  // Not os.tmpdir(): the path goes into the kernel's command line, which has no quotes, and into the
  // program's header, which has little room (see withOwnLoader).
  const dir = fs.mkdtempSync('/tmp/dm-guest-');
  let guest;
  let timedOut = false;
  const kill = () => guest?.pid && killGroup(guest.pid);
  const bury = () => {
    kill();
    if (!keep) fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  const timer = setTimeout(
    () => {
      timedOut = true;
      kill();
    },
    Math.min(timeoutMs, 2 ** 31 - 1), // the most that a timer holds; beyond, it fires at once
  );
  signal?.addEventListener('abort', kill);
  const survive = whenWeEnd(bury);

  try {
    writeInit(dir, kernel, command, options);
    const { file, env } = withOwnLoader(kernel, dir);
    guest = spawn(file, [...kernelArguments(dir, mem, disks), ...(options.kernelArgs ?? [])], {
      cwd: dir, // where a core dump would go
      env: { ...env, ...wideRegisters(dir), ...memoryPlace(mem, dir) },
      detached: true, // each process in the guest is one of the host's: a group to kill at once
      stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    guest.once('exit', kill);
    const [, early, complaints, kernelLog, output, errors] = await Promise.all([
      once(guest, 'close'),
      text(guest.stdout),
      text(guest.stderr),
      text(guest.stdio[5]),
      drain(guest.stdio[6], stdout),
      drain(guest.stdio[7], stderr),
    ]);
    if (klog) fs.writeFileSync(klog, kernelLog);
    signal?.throwIfAborted();

    // UML's exit status says nothing of the command: init leaves that in a file.
    const result = join(dir, 'exit-code');
    let exitCode = 125;
    let words = '';
    if (timedOut) {
      exitCode = 124;
      words = `guest: no end after ${timeoutMs / 1000} s\n`;
    } else if (fs.existsSync(result)) {
      exitCode = Number(fs.readFileSync(result, 'utf8'));
    } else {
      words = `guest: died; its last words:\n${lastWords(early + complaints)}${lastWords(kernelLog)}`;
    }
    if (keep) words += `guest: kept ${dir}\n`;
    if (stderr !== 'pipe') stderr.write(words);
    return { exitCode, stdout: output, stderr: errors?.concat(words), kernelLog };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
    survive();
    bury();
  }
}

/** Call `bury` also when this process ends first, by exit or by signal, until the returned is called. */
function whenWeEnd(bury) {
  const deadly = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const survive = () => {
    process.off('exit', bury);
    for (const name of deadly) process.off(name, onSignal);
  };
  const onSignal = (name) => {
    survive();
    bury();
    // Unless someone else listens and may want to live on, die of it as if nobody had listened.
    if (process.listenerCount(name) === 0) process.kill(process.pid, name);
  };
  process.on('exit', bury);
  for (const name of deadly) process.on(name, onSignal);
  return survive;
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have gone.
  }
}

// pipeline(source, sink, { end: false }) would leave its listeners on the sink, more with each run.
function drain(source, sink) {
  if (sink === 'pipe') return text(source);
  return pipeline(source, new Writable({ write: (chunk, _, done) => sink.write(chunk, done) }));
}

// A panic's reason stands above its long stack trace.
function lastWords(log) {
  if (log === '') return '';
  const lines = log.trimEnd().split(/\r*\n/);
  const panic = lines.findIndex((line) => line.includes('Kernel panic'));
  return `${(panic < 0 ? lines.slice(-10) : lines.slice(panic, panic + 10)).join('\n')}\n`;
}

function parseSize(size) {
  const match = /^(\d+)([KMG]?)$/.exec(size);
  if (!match) throw new Error(`expected a size such as 64M, got ${JSON.stringify(size)}`);
  return Number(match[1]) * 1024 ** ['', 'K', 'M', 'G'].indexOf(match[2]);
}

function kernelArguments(dir, mem, disks) {
  const ubd = disks.map((size, i) => {
    const letter = String.fromCharCode('a'.charCodeAt(0) + i);
    const path = join(dir, `disk-${letter}`);
    fs.writeFileSync(path, '');
    fs.truncateSync(path, size);
    return `ubd${letter}=${path}`;
  });
  const root = ['root=/dev/root', 'rw', 'rootfstype=hostfs', 'rootflags=/', `init=${dir}/init`];
  // Without panic= a dead guest would stay; without uml_dir= each leaves a directory in ~/.uml.
  const control = ['panic=1', `uml_dir=${dir}`, 'umid=guest'];
  // The console (kernel log) and two serial lines (the command's stdout and stderr) are descriptors 5, 6
  // and 7. They must be pipes: UML polls them, and would change the modes of a terminal.
  const lines = ['con=null', 'con0=null,fd:5', 'ssl=null', 'ssl0=null,fd:6', 'ssl1=null,fd:7'];
  return [`mem=${mem}`, ...ubd, ...root, ...control, ...lines];
}

// The guest's memory is a sparse file, mapped executable, in /dev/shm or else $TMPDIR. A container's
// /dev/shm is often too small (the guest dies when it is full) or noexec (it does not start).
function memoryPlace(mem, dir) {
  if (fs.existsSync('/dev/shm')) {
    const { bavail, bsize } = fs.statfsSync('/dev/shm');
    const mounts = fs.readFileSync('/proc/self/mounts', 'utf8');
    if (bavail * bsize >= mem && !/ \/dev\/shm \S+ \S*\bnoexec/.test(mounts)) return {};
  }
  return { TMPDIR: dir };
}

function wideRegisters(dir) {
  if (!HAS_AMX) return {};
  const library = join(dir, 'ptrace.so');
  const source = join(import.meta.dirname, 'ptrace.c');
  execFileSync(findCompiler(), ['-shared', '-nostdlib', '-nostdinc', '-o', library, source]);
  return { LD_PRELOAD: library };
}

// An unpacked kernel runs with the libc beside it. Not by "ld.so linux.uml": brk then lies elsewhere, and
// newer kernels execute themselves again. But as a copy whose header names that libc's loader instead
// of the system's, by a path of the same length.
function withOwnLoader({ root, binary }, dir) {
  if (root === '/') return { file: binary };
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
    .map((folder) => join(root, folder))
    .find((folder) => fs.existsSync(join(folder, basename(LOADER))));
  if (!libraries) return { file: binary };
  fs.symlinkSync(join(libraries, basename(LOADER)), join(dir, 'ld'));
  const program = fs.readFileSync(binary);
  program.write(join(dir, 'ld').padStart(LOADER.length, '/'), program.indexOf(LOADER));
  fs.writeFileSync(join(dir, 'linux'), program, { mode: 0o755 });
  return { file: join(dir, 'linux'), env: { LD_LIBRARY_PATH: libraries } };
}

const quote = (word) => `'${word.replaceAll("'", `'\\''`)}'`;

function writeInit(dir, kernel, command, options) {
  const { modules = ['dm-mod', 'loop'], cwd = process.cwd(), env = process.env } = options;
  const variables = Object.entries({ ...env, PWD: cwd })
    .filter(([key, value]) => value !== undefined && !['OLDPWD', 'SHLVL', '_'].includes(key))
    .map(([key, value]) => `${key}=${value}`);

  // UML's modules are not in /lib/modules; modprobe -d wants them in lib/, newer ones in usr/lib/.
  fs.mkdirSync(join(dir, 'usr/lib'), { recursive: true });
  fs.symlinkSync('usr/lib', join(dir, 'lib'));
  fs.symlinkSync(kernel.modules, join(dir, 'usr/lib/modules'));
  const script = (name, lines) => fs.writeFileSync(join(dir, name), lines, { mode: 0o755 });
  script('modprobe', `#!/bin/sh\nexec ${MODPROBE} -d ${dir} "$@"\n`);
  script(
    'init',
    `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run # or the guest's lock files land on the host
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
ip link set lo up 2>/dev/null
echo ${dir}/modprobe >/proc/sys/kernel/modprobe # loads the targets that a table names
for module in ${modules.join(' ')}; do ${dir}/modprobe $module; done

# Raw lines, to keep each byte; FIFOs before them, so that the command sees pipes and no terminal.
stty -F /dev/ttyS0 raw -echo
stty -F /dev/ttyS1 raw -echo
mkfifo /run/out /run/err
cat /run/out >/dev/ttyS0 &
cat /run/err >/dev/ttyS1 &
(cd ${quote(cwd)} && exec ${['env', '-i', ...variables, ...command].map(quote).join(' ')}) \\
  </dev/null >/run/out 2>/run/err
echo $? >${dir}/exit-code
sync
wait
stty -F /dev/ttyS0 sane # returns once the line is drained
stty -F /dev/ttyS1 sane
echo o >/proc/sysrq-trigger
sleep 60 # the power goes off meanwhile; were init to end, that would be a panic
`,
  );
}
