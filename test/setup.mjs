// Debian packages for the tests: `npm run setup SUITE…` installs what a suite needs beside Node; without
// a suite it lists what there is. packages.json names the packages, once. Nothing here is imported from
// node_modules, so that it runs before `npm ci`.

import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The Debian packages of each suite. */
export const packages = JSON.parse(fs.readFileSync(new URL('packages.json', import.meta.url)));

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const STRICT = ['-o', 'APT::Update::Error-Mode=any']; // or apt-get update ends well without a network

/** The code name of this machine's Debian release; undefined on any other system. */
export function debianRelease() {
  if (!fs.existsSync('/etc/os-release')) return undefined;
  const text = fs.readFileSync('/etc/os-release', 'utf8');
  if (!/^ID=debian$/m.test(text)) return undefined;
  return /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] ?? 'sid';
}

/** Why packages cannot be unpacked here, as half a sentence; undefined if they can. */
export function whyNotUnpack() {
  if (!debianRelease()) return 'this is not Debian';
  if (!fs.existsSync('/usr/bin/apt-get')) return 'there is no apt-get';
  if (!fs.existsSync(KEYRING)) return `there is no ${KEYRING} (package debian-archive-keyring)`;
  return undefined;
}

/** Why packages cannot be installed here, as half a sentence; undefined if they can. */
export function whyNotInstall() {
  return process.getuid?.() === 0 ? whyNotUnpack() : 'installing takes root on Debian';
}

/** The packages of `suite` that are not installed: all of them, on a system without dpkg. */
export async function missingPackages(suite) {
  if (!Object.hasOwn(packages, suite)) {
    throw new Error(`no suite ${suite}; there are ${Object.keys(packages).join(', ')}`);
  }
  const names = packages[suite];
  // An unknown name makes it fail; it answers for the others all the same.
  const query = ['--show', '--showformat', '${Package} ${db:Status-Status}\n', ...names];
  const { stdout } = await promisify(execFile)('dpkg-query', query).catch((error) => error);
  return names.filter((name) => !stdout?.split('\n').includes(`${name} installed`));
}

/** Install what `suite` lacks, after naming it by `log`. */
export async function ensure(suite, { log = console.error } = {}) {
  const names = await missingPackages(suite);
  if (names.length === 0) return;
  const list = names.join(' ');
  const obstacle = whyNotInstall();
  if (obstacle) throw new Error(`suite ${suite} lacks the packages ${list}: ${obstacle}`);

  log(`installing the packages ${list} (suite ${suite})`);
  const flags = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const install = () => run('apt-get', ['install', ...flags, ...names]);
  // apt's lists may be absent (a fresh container), or name files that the mirror has replaced since. A
  // failing update is no failure yet: it may have been that of another mirror.
  await install().catch(async () => {
    const update = run('apt-get', ['update', ...STRICT]).then(() => '');
    const trouble = await update.catch(({ message }) => `${message}\n`);
    await install().catch(({ message }) => Promise.reject(new Error(trouble + message)));
  });
}

/**
 * Unpack packages of another Debian `release` into the new directory `target`, after saying so by `log`.
 * apt works on a state of its own; the system's lists, pins and packages stay as they are.
 */
export async function unpack(release, names, target, { log = console.error } = {}) {
  const mirror = (await findMirror()) ?? (await run('apt-get', ['update']).then(findMirror));
  if (!mirror) throw new Error('apt-get update finds no Debian mirror: is there a network?');
  log(`unpacking ${names.join(' ')} of Debian ${release} into ${target}`);

  fs.mkdirSync(dirname(target), { recursive: true });
  // Beside the target, so that one rename shows the result, whole.
  const work = fs.mkdtempSync(`${target}.`);
  try {
    for (const folder of ['preferences.d', 'lists/partial', 'archives/partial', 'debs', 'root']) {
      fs.mkdirSync(join(work, folder), { recursive: true });
    }
    const source = `deb [signed-by=${KEYRING} check-valid-until=no] ${mirror} ${release} main\n`;
    fs.writeFileSync(join(work, 'sources.list'), source);
    fs.writeFileSync(join(work, 'status'), '');
    const settings = {
      'Dir::Etc': work,
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::State': work,
      'Dir::State::status': join(work, 'status'),
      'Dir::Cache': work,
      'Acquire::Languages': 'none',
      'APT::Sandbox::User': 'root',
    };
    const flags = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
    const debs = join(work, 'debs');
    await run('apt-get', [...flags, ...STRICT, '-qq', 'update']);
    await run('apt-get', [...flags, '-qq', 'download', ...names], { cwd: debs });
    for (const deb of fs.readdirSync(debs)) {
      await run('dpkg-deb', ['--extract', join(debs, deb), join(work, 'root')]);
    }
    // Another process may have been quicker.
    if (!fs.existsSync(target)) fs.renameSync(join(work, 'root'), target);
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

/** The mirror that apt uses for this release; undefined while apt has no lists. */
async function findMirror() {
  const format = ['--format', '$(ORIGIN) $(RELEASE) $(REPO_URI)', 'Created-By: Packages'];
  const lines = (await run('apt-get', ['indextargets', ...format])).split('\n');
  // Updates and security, the releases with a dash, may lie on mirrors of their own.
  return lines.map((line) => /^Debian [^- ]+ (.+)$/.exec(line)?.[1]).find(Boolean);
}

async function run(file, args, { cwd } = {}) {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  try {
    return (await promisify(execFile)(file, args, { cwd, env, maxBuffer: Infinity })).stdout;
  } catch (error) {
    throw new Error(`${file} failed: ${error.stderr?.trim() || error.message}`, { cause: error });
  }
}

async function main(suites) {
  for (const suite of suites) {
    await ensure(suite);
    console.log(`${suite}: installed`);
  }
  if (suites.length > 0) return;
  console.log('usage: npm run setup SUITE…   installs the Debian packages of:\n');
  for (const [suite, names] of Object.entries(packages)) {
    const missing = await missingPackages(suite);
    const state = missing.length === 0 ? 'installed' : `missing: ${missing.join(' ')}`;
    console.log(`  ${suite.padEnd(8)} ${names.join(' ')} (${state})`);
  }
}

const [, started = ''] = process.argv;
if (fs.existsSync(started) && fs.realpathSync(started) === import.meta.filename) {
  await main(process.argv.slice(2).filter((word) => word !== '--help')).catch((error) => {
    console.error(`setup: ${error.message}`);
    process.exitCode = 1;
  });
}
