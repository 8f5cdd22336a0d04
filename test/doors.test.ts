/** What stands behind each door, and what a door needs to be opened. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { assert, suite } from './harness.js';

const root = join(import.meta.dirname, '../../..');

const CODEC = `
  ClosedError DeviceMapperError InputError KernelError KernelUnavailableError NodeError ReplyError
  TimeoutError UnsupportedError REQUEST_CODE bytesToSectors decodeReply decodeRequest encodeReply encodeRequest
  buildTarget statistics parseStatus parseTarget
  cache clone crypt delay dust ebs era error flakey inlinecrypt integrity linear logWrites mirror multipath pcache raid snapshot snapshotMerge snapshotOrigin striped switchTarget thin thinPool unstriped vdo verity writecache zero zoned
  inspect joinParameters lintTable majorOf makeDev minorOf sectorsToBytes splitParameters
  BOOT_TARGETS diffTables explainSector formatConcise formatDmModCreate formatDmModWaitfor formatTable
  joinLvmName mangleName parseConcise parseDmModCreate parseDmModWaitfor parseListing parseTable
  splitLvmName unmangleName
  DM_ACTIVE_PRESENT_FLAG DM_BUFFER_FULL_FLAG DM_DATA_OUT_FLAG DM_DEFERRED_REMOVE DM_DEV_ARM_POLL
  DM_DEV_ARM_POLL_CMD DM_DEV_CREATE DM_DEV_CREATE_CMD DM_DEV_REMOVE DM_DEV_REMOVE_CMD
  DM_DEV_RENAME DM_DEV_RENAME_CMD DM_DEV_SET_GEOMETRY DM_DEV_SET_GEOMETRY_CMD DM_DEV_STATUS
  DM_DEV_STATUS_CMD DM_DEV_SUSPEND DM_DEV_SUSPEND_CMD DM_DEV_WAIT DM_DEV_WAIT_CMD
  DM_GET_TARGET_VERSION DM_GET_TARGET_VERSION_CMD DM_IMA_MEASUREMENT_FLAG DM_INACTIVE_PRESENT_FLAG
  DM_INTERNAL_SUSPEND_FLAG DM_IOCTL DM_LIST_DEVICES DM_LIST_DEVICES_CMD DM_LIST_VERSIONS
  DM_LIST_VERSIONS_CMD DM_MAX_DATA_SIZE DM_MAX_TARGETS DM_MAX_TARGET_PARAMS DM_MAX_TYPE_NAME
  DM_MPATH_PROBE_PATHS DM_MPATH_PROBE_PATHS_CMD DM_NAME_LEN DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID
  DM_NAME_LIST_FLAG_HAS_UUID DM_NOFLUSH_FLAG DM_PERSISTENT_DEV_FLAG DM_QUERY_INACTIVE_TABLE_FLAG
  DM_READONLY_FLAG DM_REMOVE_ALL DM_REMOVE_ALL_CMD DM_SECURE_DATA_FLAG DM_SKIP_BDGET_FLAG
  DM_SKIP_LOCKFS_FLAG DM_STATUS_TABLE_FLAG DM_SUSPEND_FLAG DM_TABLE_CLEAR DM_TABLE_CLEAR_CMD
  DM_TABLE_DEPS DM_TABLE_DEPS_CMD DM_TABLE_LOAD DM_TABLE_LOAD_CMD DM_TABLE_STATUS
  DM_TABLE_STATUS_CMD DM_TARGET_MSG DM_TARGET_MSG_CMD DM_UDEV_DISABLE_DISK_RULES_FLAG
  DM_UDEV_DISABLE_DM_RULES_FLAG DM_UDEV_DISABLE_LIBRARY_FALLBACK DM_UDEV_DISABLE_OTHER_RULES_FLAG
  DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG DM_UDEV_FLAGS_SHIFT DM_UDEV_LOW_PRIORITY_FLAG
  DM_UDEV_PRIMARY_SOURCE_FLAG DM_UEVENT_GENERATED_FLAG DM_UUID_FLAG DM_UUID_LEN DM_VERSION
  DM_VERSION_CMD DM_VERSION_MAJOR`;
const MODEL = `${CODEC} DeviceMapper DeviceMapperSync ModelKernel record replay`;
const KERNEL = `${MODEL} KernelTransport
  createActiveDevice createDevice getVersion loadTable removeDevice resume suspend`;

const Doors = suite('doors');

for (const [door, names] of Object.entries({
  'devicemapper/codec': CODEC,
  'devicemapper/model': MODEL,
  devicemapper: KERNEL,
})) {
  Doors(`${door} exports exactly these`, async () => {
    assert.equal(
      Object.keys((await import(door)) as object).sort(),
      names.trim().split(/\s+/).sort(),
    );
  });
}

Doors('what one door exports is the same behind the next', async () => {
  const [kernel, model, codec] = (await Promise.all(
    ['devicemapper', 'devicemapper/model', 'devicemapper/codec'].map((door) => import(door)),
  )) as Record<string, unknown>[];
  // The kernel's door has these two with `open`.
  const own = ['DeviceMapper', 'DeviceMapperSync'];
  const more = Object.keys(model!).filter((name) => kernel![name] !== model![name]);
  assert.equal(more, own);
  assert.equal(
    Object.keys(codec!).filter((name) => model![name] !== codec![name]),
    [],
  );
  for (const name of own) {
    const [real, any] = [kernel![name], model![name]] as { prototype: object }[];
    assert.ok(real!.prototype instanceof (any as unknown as typeof Object), name);
  }
});

// One character above U+00FF makes V8 hold a whole file at two bytes for each, and take a fifth longer to read it.
Doors('their code is Latin-1', () => {
  const dist = dirname(fileURLToPath(import.meta.resolve('devicemapper/codec')));
  const files = ['', 'chunks'].flatMap((folder) =>
    readdirSync(join(dist, folder), { withFileTypes: true })
      .filter(({ name }) => name.endsWith('.js'))
      .map(({ name }) => join(dist, folder, name)),
  );
  assert.ok(files.length > 5);
  for (const file of files) assert.not.match(readFileSync(file, 'utf8'), /[^\0-\xff]/, file);
});

Doors('the compiled codec lies beside the doors', () => {
  assert.ok(existsSync(fileURLToPath(import.meta.resolve('devicemapper/codec.wasm'))));
});

// ── What it takes to open them ───────────────────────────────────────────────────────────────────

/** Run `source` in a node of its own; what it prints, as JSON. */
function inChild(source: string, ...flags: string[]): unknown {
  const args = [...flags, '-e', source];
  const text = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  return JSON.parse(text) as unknown;
}

const MODULE = '--input-type=module';

Doors('importing them instantiates nothing; the first call does', () => {
  const said = inChild(
    `delete globalThis.WebAssembly;
    await import('devicemapper/codec');
    await import('devicemapper/model');
    const { encodeRequest } = await import('devicemapper');
    try { encodeRequest('VERSION', {}); } catch ({ message }) { console.log(JSON.stringify(message)); }`,
    MODULE,
  );
  assert.is(said, 'WebAssembly is not defined');
});

Doors('importing them loads no koffi; where it is missing, opening says so', () => {
  const said = inChild(
    `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const { DeviceMapper, DeviceMapperSync } = await import('devicemapper');
    const isLoaded = () => Object.keys(require.cache).some((path) => path.includes('/koffi/'));
    const before = isLoaded();
    const errors = [DeviceMapper, DeviceMapperSync].map((Client) => {
      try { Client.open(); } catch ({ name, code, reason, message }) { return { name, code, reason, message }; }
    });
    try { require('koffi'); } catch {}
    console.log(JSON.stringify({ before, errors }));`,
    MODULE,
    '--no-addons',
  ) as {
    before: boolean;
    errors: { name: string; code: string; reason: string; message: string }[];
  };
  assert.is(said.before, false);
  for (const { name, code, reason, message } of said.errors) {
    assert.equal(
      [name, code, reason],
      ['KernelUnavailableError', 'ERR_DM_UNAVAILABLE', 'no-koffi'],
    );
    assert.match(message, /^the package koffi.*npm install koffi/);
  }
});

Doors('opening loads koffi', () => {
  // So that the test above is known to look in the right place.
  const said = inChild(
    `const { DeviceMapperSync } = require('devicemapper');
    try { DeviceMapperSync.open({ path: '/dev/null' }); } catch {}
    console.log(Object.keys(require.cache).some((path) => path.includes('/koffi/')));`,
  );
  assert.is(said, true);
});

Doors('CommonJS can require them', () => {
  const said = inChild(
    `const { DeviceMapper, getVersion } = require('devicemapper');
    const { encodeRequest } = require('devicemapper/codec');
    const { replay } = require('devicemapper/model');
    import('devicemapper').then((imported) => console.log(JSON.stringify([
      typeof DeviceMapper.open, typeof getVersion, typeof replay,
      encodeRequest('VERSION', {}).length, imported.DeviceMapper === DeviceMapper])));`,
  );
  assert.equal(said, ['function', 'function', 'function', 312, true]);
});

Doors('./codec and ./model work where there is nothing of Node', () => {
  const said = inChild(
    `import { readFileSync } from 'node:fs';
    import vm from 'node:vm';
    // All that they may use beside JavaScript and WebAssembly.
    const context = vm.createContext({ TextEncoder, TextDecoder, atob, btoa });
    const modules = new Map();
    const load = (url) => {
      if (!modules.has(url)) {
        const source = readFileSync(new URL(url), 'utf8');
        modules.set(url, new vm.SourceTextModule(source, { context, identifier: url }));
      }
      return modules.get(url);
    };
    const link = (specifier, { identifier }) => {
      if (specifier.startsWith('.')) return load(new URL(specifier, identifier).href);
      if (specifier.startsWith('node:')) throw new Error(identifier + ' imports ' + specifier);
      return load(import.meta.resolve(specifier));
    };
    const main = new vm.SourceTextModule(\`
      import { encodeRequest, decodeRequest } from 'devicemapper/codec';
      import { DeviceMapper, DeviceMapperSync, encodeReply, record, replay } from 'devicemapper/model';
      const { targets } = decodeRequest('TABLE_LOAD', encodeRequest('TABLE_LOAD', { name: 'é', targets: '0 8 zero' }));
      const answer = (request, buffer) => (buffer.set(encodeReply('VERSION', { version: [4, 48, 0] }).subarray(0, 312)), 0);
      const recorder = record({ ioctl: answer, ioctlAsync: async () => 0, close() {} });
      new DeviceMapperSync(recorder).getVersion();
      const version = await new DeviceMapper(replay(recorder.lines())).getVersion();
      export const said = [typeof process, targets[0].type, version];
    \`, { context, identifier: import.meta.url });
    await main.link(link);
    await main.evaluate();
    console.log(JSON.stringify(main.namespace.said));`,
    MODULE,
    '--experimental-vm-modules',
  );
  assert.equal(said, ['undefined', 'zero', [4, 48, 0]]);
});

// ── Types ────────────────────────────────────────────────────────────────────────────────────────

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  types: [],
  skipLibCheck: false,
};

/** What a user's compiler says of `source`, the package being installed. */
function compile(source: string, options: ts.CompilerOptions = {}): string[] {
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build/consumer-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/devicemapper'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const file = join(folder, 'user.ts');
    writeFileSync(file, source);
    const program = ts.createProgram([file], { ...OPTIONS, ...options });
    return ts.getPreEmitDiagnostics(program).map(({ messageText, file: at }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, ' ');
      return `${at?.fileName.replace(root, '') ?? ''}: ${text}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

Doors('the types of ./codec and ./model need neither dom nor node', () => {
  const source = `
    import { decodeReply, encodeRequest, KernelError, type DeviceRef, type Target } from 'devicemapper/codec';
    import { DeviceMapper, DeviceMapperSync, type Transport } from 'devicemapper/model';
    const target: Target = { startSector: 0n, length: 8, type: 'linear', parameters: ['/dev/sdb', 0] };
    const bytes: Uint8Array = encodeRequest('TABLE_LOAD', { name: 'x', targets: [target] });
    const sector: number | undefined = decodeReply('TABLE_STATUS', bytes).targets[0]?.startSector;
    const wide: bigint | undefined = decodeReply('TABLE_STATUS', bytes, { bigint: true }).targets[0]?.length;
    const transport: Transport = {
      ioctl: () => 0,
      ioctlAsync: () => Promise.resolve(0),
      close: () => undefined,
    };
    const version: readonly [number, number, number] = new DeviceMapperSync(transport).getVersion();
    const dm = new DeviceMapper(transport);
    const removed: Promise<'removed' | 'scheduled'> = dm.removeDevice({ uuid: 'u' }, { retry: true });
    const refs: DeviceRef[] = ['a', { name: 'a' }, { uuid: 'u' }, { dev: 1 }];
    export { KernelError, sector, wide, version, removed, refs };`;
  assert.equal(compile(source), []);
});

Doors("the types of the kernel's door need @types/node at most", () => {
  const source = `
    import { DeviceMapper, DeviceMapperSync, createActiveDevice, type DeviceInfo } from 'devicemapper';
    const { signal } = new AbortController();
    const made: Promise<DeviceInfo> = createActiveDevice('x', '0 8 zero', { readOnly: true, signal });
    await using dm = DeviceMapper.open();
    using twin = DeviceMapperSync.open({ path: '/dev/mapper/control' });
    const info: DeviceInfo = await dm.getDevice('x', { signal });
    export { info, made, twin };`;
  const lib = ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'];
  assert.equal(compile(source, { types: ['node'], lib }), []);
});

Doors('the types refuse what the kernel would mistake', () => {
  const head = `
    import { decodeReply, encodeRequest, type DeviceRef, type Target } from 'devicemapper/codec';
    import { DeviceMapperSync, type Transport } from 'devicemapper/model';
    declare const dm: DeviceMapperSync, target: Target, transport: Transport, bytes: Uint8Array;`;
  const refused = {
    'two identifiers': `const ref: DeviceRef = { name: 'a', uuid: 'b' };`,
    'no identifier': `const ref: DeviceRef = {};`,
    'a load without a table': `encodeRequest('TABLE_LOAD', { name: 'x' });`,
    'a table where there is none': `encodeRequest('DEV_STATUS', { name: 'x', targets: [target] });`,
    'an unknown command': `encodeRequest('DM_DEV_STATUS', {});`,
    'a payload of another command': `decodeReply('DEV_STATUS', bytes).targets;`,
    'a positional boolean': `dm.removeDevice('x', true);`,
    'a misspelt option': `dm.suspend('x', { noFlush: true });`,
    'a signal to the blocking twin': `dm.getDevice('x', { signal: undefined });`,
    'a sector as text': `dm.loadTable('x', [{ ...target, length: '8' }]);`,
    'a value of a reply being set': `dm.getDevice('x').name = 'y';`,
    'a transport that only blocks': `const half: Transport = { ioctl: () => 0, close() {} };`,
  };
  const lines = Object.values(refused);
  const expected = lines.map((line) => `// @ts-expect-error\n{ ${line} }`).join('\n');
  assert.equal(compile(`${head}\n${expected}`), []);
  // And without the comments each line is an error, so that the compiler is known to look.
  assert.is(
    compile(`${head}\n${lines.map((line) => `{ ${line} }`).join('\n')}`).length,
    lines.length,
  );
});

// ── What a page carries ──────────────────────────────────────────────────────────────────────────

/** bench/page.mjs: the code of a page that uses these. */
interface PageModule {
  readonly pageWith: (names: readonly string[]) => Promise<string>;
}

Doors('a page that uses one target carries none of the others', async () => {
  const made = /defineTarget\("([\w-]+)"/g;
  const { pageWith } = (await import(join(root, 'bench/page.mjs'))) as PageModule;
  const types = async (name: string): Promise<string[]> =>
    Array.from((await pageWith([name])).matchAll(made), ([, type]) => type!);
  assert.equal(await types('linear'), ['linear']);
  assert.equal(await types('multipath'), ['multipath']);
  // All of them are there for who asks for all.
  assert.is((await types('parseTarget')).length, 30);
});

Doors.run();
