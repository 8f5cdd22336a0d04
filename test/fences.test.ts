/**
 * The house rules (the five of the design, and the order of imports), held against the sources.
 *
 * A fence takes parsed sources and complains; it is shown small offenders first, so that none can be
 * one that never complains.
 */
import {
  DeviceMapperError,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type Command,
  type Reply,
  type Target,
} from 'devicemapper/codec';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import ts from 'typescript';
import * as internal from '#internal';
import { Status, createActiveDevice, type Operation } from '#internal';
import { assert, suite } from './harness.js';

// ── Sources ──────────────────────────────────────────────────────────────────────────────────────

/** Parsed files by their path from the root, as in 'host/wire.ts'. */
type Sources = ReadonlyMap<string, ts.SourceFile>;

const root = join(import.meta.dirname, '../../..');

function parse(texts: Readonly<Record<string, string>>): Sources {
  return new Map(
    Object.entries(texts).map(([path, text]) => [
      path,
      ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true),
    ]),
  );
}

function read(folder: string): Sources {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith('generated'))
    .map((path) => posix.join(folder, path));
  return parse(Object.fromEntries(paths.map((path) => [path, readText(path)])));
}

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const host = read('host');
const assembly = read('assembly');

function nodesOf(file: ts.Node): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return nodes;
}

/** What `find` finds wrong in each file, as 'path:line: complaint'. */
function complaints(
  sources: Sources,
  find: (node: ts.Node, path: string) => string | undefined,
): string[] {
  return [...sources].flatMap(([path, file]) =>
    nodesOf(file).flatMap((node) => {
      const complaint = find(node, path);
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      return complaint === undefined ? [] : [`${path}:${line + 1}: ${complaint}`];
    }),
  );
}

/** What a file names in imports, exports, import() and import types. */
function importOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier && textOf(node.moduleSpecifier);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return textOf(node.argument.literal);
  }
  const dynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return dynamic ? textOf(node.arguments[0]!) : undefined;
}

function textOf(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : node.getText();
}

/** The path of a relative import's source; undefined for a package. */
function resolved(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(from), specifier);
  return path.endsWith('.js') ? path.replace(/js$/, 'ts') : `${path}.ts`;
}

/** From each file to the files that it imports. */
function graphOf(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const targets = (path: string, file: ts.SourceFile): string[] =>
    nodesOf(file).flatMap((node) => resolved(path, importOf(node) ?? '') ?? []);
  return new Map([...sources].map(([path, file]) => [path, targets(path, file)]));
}

/** A name that is used as a variable or type, not one of a member. */
function isUse(node: ts.Node): node is ts.Identifier {
  if (!ts.isIdentifier(node)) return false;
  const { parent } = node;
  const isMember =
    (ts.isPropertyAccessExpression(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
    parent.name === node;
  return !isMember;
}

function isInside(node: ts.Node, test: (ancestor: ts.Node) => boolean): boolean {
  return ts.findAncestor(node.parent, test) !== undefined;
}

function isExported(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
  );
}

const Fences = suite('fences');

interface Fence {
  readonly check: (sources: Sources) => string[];
  /** Each of these must be complained about. */
  readonly offenders: readonly Readonly<Record<string, string>>[];
  readonly sources?: Sources;
}

function fence(title: string, { check, offenders, sources = host }: Fence): void {
  Fences(title, () => {
    for (const offender of offenders) {
      assert.ok(check(parse(offender)).length > 0, `passes: ${JSON.stringify(offender)}`);
    }
    assert.equal(check(sources), []);
  });
}

/** That something appears in certain files only. */
function only(
  where: readonly string[],
  find: (node: ts.Node) => string | undefined,
): (sources: Sources) => string[] {
  return (sources) =>
    complaints(sources, (node, path) =>
      where.some((allowed) => path.startsWith(allowed)) ? undefined : find(node),
    );
}

// ── 1. assembly/ turns values into bytes and back, nothing else ──────────────────────────────────

fence('assembly/ imports nothing outside itself', {
  sources: assembly,
  check: (sources) =>
    complaints(sources, (node, path) => {
      const specifier = importOf(node);
      if (specifier === undefined) return undefined;
      const inside = resolved(path, specifier)?.startsWith('assembly/') ?? false;
      return inside ? undefined : `imports ${specifier}`;
    }),
  offenders: [
    { 'assembly/a.ts': "import { x } from '../host/wire';" },
    { 'assembly/a.ts': "export * from 'util';" },
  ],
});

function moduleProblems(wasm: Uint8Array<ArrayBuffer>): string[] {
  const module = new WebAssembly.Module(wasm);
  const fine = ({ name, kind }: WebAssembly.ModuleExportDescriptor): boolean =>
    !name.startsWith('__') && (kind === 'function' || (kind === 'memory' && name === 'memory'));
  return [
    ...WebAssembly.Module.imports(module).map(({ name }) => `imports ${name}`),
    ...WebAssembly.Module.exports(module)
      .filter((exported) => !fine(exported))
      .map(({ kind, name }) => `exports ${kind} ${name}`),
  ];
}

Fences('the module imports nothing and exports functions and its memory', () => {
  // (module (import "env" "abort" (global i32)) (export "__new" (global 0)))
  const bad = '0061736d01000000020e0103656e760561626f7274037f00070901055f5f6e65770300';
  const bytes = Uint8Array.from(bad.match(/../g)!, (hex) => parseInt(hex, 16));
  assert.equal(moduleProblems(bytes), ['imports abort', 'exports global __new']);
  assert.equal(moduleProblems(readFileSync(join(root, 'dist/codec.wasm'))), []);
});

Fences('no option of the compiler hides an abort', () => {
  const hides = (text: string): boolean => /"?\buse"?\s*:|--use\b|abort\s*=/.test(text);
  assert.ok(hides('{ "use": "abort=" }') && hides('asc --use abort=x'));
  for (const path of ['asconfig.json', 'package.json', 'assembly/embed.mjs']) {
    assert.not(hides(readText(path)), path);
  }
});

fence('every Status has its words', {
  sources: new Map([...assembly, ...host]),
  check: (sources) => {
    // The host lays out the memory and sizes it: these are its own mistakes, a RangeError.
    const internal = ['OUT_OF_BOUNDS', 'OUT_OF_MEMORY', 'OUTPUT_TOO_SMALL'];
    const all = [...sources.values()].flatMap(nodesOf);
    const statuses = all.flatMap((node) =>
      ts.isEnumMember(node) && node.parent.name.text === 'Status' ? node.name.getText() : [],
    );
    const told = new Set([
      ...internal,
      ...nodesOf(sources.get('host/wire.ts')!).flatMap((node) =>
        (ts.isComputedPropertyName(node) || ts.isCaseClause(node)) &&
        ts.isPropertyAccessExpression(node.expression) &&
        node.expression.expression.getText() === 'Status'
          ? node.expression.name.text
          : [],
      ),
      // parameterProblem() tells the three apart by comparing; errors.test has their words.
      'PARAMETER_EMPTY',
      'PARAMETER_BLANK',
    ]);
    return statuses.filter((status) => !told.has(status)).concat(statuses.length > 0 ? [] : 'none');
  },
  offenders: [
    { 'assembly/status.ts': 'export enum Status { NEW = -1 }', 'host/wire.ts': 'f(Status.NEW);' },
    { 'host/wire.ts': '' },
  ],
});

Fences('the statuses in the host are those of the sources', () => {
  const members = nodesOf(assembly.get('assembly/status.ts')!).filter(ts.isEnumMember);
  const names = members.flatMap((member) =>
    member.parent.name.text === 'Status' ? member.name.getText() : [],
  );
  assert.equal(Object.keys(Status), names);
});

// ── 2. Only wire.ts touches Wasm memory; only control.ts and control/ touch the kernel ───────────

const leaves = ['host/cli/', 'host/editor/'];

fence('Wasm and its memory are in wire.ts alone', {
  check: only(['host/wire.ts'], (node) => {
    if (ts.isIdentifier(node) && ['WebAssembly', 'memory', 'WASM'].includes(node.text)) {
      return node.text;
    }
    const specifier = importOf(node) ?? '';
    return /assemblyscript|generated\/(module|wasm)/.test(specifier) ? specifier : undefined;
  }),
  offenders: [
    { 'host/operations.ts': 'new WebAssembly.Module(bytes);' },
    { 'host/text.ts': 'const view = new Uint8Array(module.memory.buffer);' },
    { 'host/text.ts': "import { instantiate } from '@assemblyscript/loader';" },
    { 'host/text.ts': "import { WASM as x } from './generated/wasm.js';" },
  ],
});

fence('koffi and node: are in control.ts and control/ alone', {
  check: only(['host/control.ts', 'host/control/', ...leaves], (node) => {
    // Also in a require(): the name alone is enough.
    const named = ts.isStringLiteralLike(node) && /^koffi$|^node:/.test(node.text);
    return named || builtinModules.includes(importOf(node) ?? '') ? node.getText() : undefined;
  }),
  offenders: [
    { 'host/operations.ts': "import { readFileSync } from 'node:fs';" },
    { 'host/operations.ts': "import type { Buffer } from 'buffer';" },
    { 'host/index.ts': "const koffi = createRequire(import.meta.url)('koffi');" },
    { 'host/index.ts': "type Koffi = typeof import('koffi');" },
    { 'host/controls.ts': "import { readFileSync } from 'node:fs';" },
  ],
});

fence('koffi is imported as a type, and loaded when asked for', {
  check: (sources) =>
    complaints(sources, (node) =>
      ts.isImportDeclaration(node) && importOf(node) === 'koffi' ? 'imports koffi' : undefined,
    ),
  offenders: [{ 'host/control.ts': "import koffi from 'koffi';" }],
});

/** Everything that a door brings with it. */
function reached(sources: Sources, doors: readonly string[]): Sources {
  const graph = graphOf(sources);
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const next of graph.get(path) ?? []) visit(next);
  };
  doors.forEach(visit);
  return new Map([...sources].filter(([path]) => seen.has(path)));
}

fence('what ./codec and ./model bring with them is at home in a browser', {
  check: (sources) =>
    complaints(reached(sources, ['host/codec.ts', 'host/model.ts']), (node) => {
      const globals = ['process', 'Buffer', 'require', '__dirname', '__filename', 'NodeJS'];
      globals.push('global', 'setImmediate');
      if (isUse(node) && globals.includes(node.text)) return node.text;
      const specifier = importOf(node);
      const foreign = specifier !== undefined && !specifier.startsWith('.');
      return foreign && specifier !== '@assemblyscript/loader' ? specifier : undefined;
    }),
  offenders: [
    { 'host/codec.ts': "export * from './a.js';", 'host/a.ts': "import 'node:fs';" },
    { 'host/model.ts': "export * from './a.js';", 'host/a.ts': "import { inspect } from 'util';" },
    { 'host/codec.ts': "import type { A } from './a.js';", 'host/a.ts': 'Buffer.from([]);' },
    { 'host/codec.ts': 'const { platform } = process;' },
  ],
});

fence('there is process.env in cli/ alone', {
  check: only(['host/cli/'], (node) =>
    ts.isPropertyAccessExpression(node) && node.name.text === 'env' ? node.getText() : undefined,
  ),
  offenders: [{ 'host/control.ts': 'if (process.env.DEBUG) log();' }],
});

// ── 3. An operation is a generator ───────────────────────────────────────────────────────────────

const isGenerator = (node: ts.Node): node is ts.FunctionDeclaration =>
  ts.isFunctionDeclaration(node) && node.asteriskToken !== undefined;

/** The files that operations are made of. */
const OPERATIONS = ['host/operations.ts', 'host/nodes.ts', 'host/steps.ts'];

fence('an operation is a generator, and knows no time', {
  check: (sources) =>
    complaints(sources, (node, path) => {
      if (!OPERATIONS.includes(path)) return undefined;
      const clocks = ['Promise', 'setTimeout', 'setInterval', 'queueMicrotask', 'Date'];
      clocks.push('performance', 'async');
      if (isUse(node) && clocks.includes(node.text)) return node.text;
      if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) return 'async';
      if (path !== OPERATIONS[0]) return undefined;
      const plain = ts.isFunctionDeclaration(node) && !isGenerator(node) && isExported(node);
      const other = ts.isVariableStatement(node) && isExported(node);
      return plain || other ? 'exports what is no generator function' : undefined;
    }),
  offenders: [
    'export function getDevice() {}',
    'export const getDevice = function* () {};',
    'export async function* watch() {}',
    'function* f() { yield { until: Date.now() }; }',
    'const wait = () => new Promise((done) => setTimeout(done, 1));',
  ].map((text) => ({ 'host/operations.ts': text })),
});

fence('an operation meets a Transport in what it yields, and nowhere else', {
  check: (sources) =>
    complaints(sources, (node, path) => {
      if (!OPERATIONS.includes(path)) return undefined;
      const isType = ts.isTypeReferenceNode(node) && node.typeName.getText() === 'Transport';
      // As the parameter of a function that a driver calls, as in `ask: (transport) => …`.
      if (isType && !isInside(node, ts.isFunctionTypeNode)) return 'holds a Transport';
      const isTransport = isUse(node) && node.text === 'transport';
      const isAsked = isInside(
        node,
        (outer) => ts.isCallExpression(outer) && outer.expression.getText() === 'ask',
      );
      const isTyped = isInside(node, ts.isFunctionTypeNode);
      return isTransport && !isAsked && !isTyped ? 'uses a Transport by itself' : undefined;
    }),
  offenders: [
    'function* remove(transport: Transport) { transport.close(); }',
    'class Removal { readonly #kernel: Transport; }',
    'function* remove() { transport.ioctl(code, buffer); }',
  ].map((text) => ({ 'host/operations.ts': text })),
});

fence('no step of an operation is forgotten', {
  check: (sources) => {
    const files = new Map([...sources].filter(([path]) => OPERATIONS.includes(path)));
    const names = new Set(
      [...files.values()].flatMap((file) =>
        nodesOf(file).flatMap((node) => (isGenerator(node) ? node.name?.text : [])),
      ),
    );
    return complaints(files, (node) => {
      if (!ts.isCallExpression(node) || !names.has(node.expression.getText())) return undefined;
      // Run here, or handed to someone who does: as an argument, a result, a branch of one.
      const { parent } = node;
      return ts.isExpressionStatement(parent) ||
        (ts.isYieldExpression(parent) && !parent.asteriskToken)
        ? `${node.expression.getText()}() is made but not run`
        : undefined;
    });
  },
  offenders: [
    'function* a() {} function* b() { a(); }',
    'function* a() {} function* b() { yield a(); }',
  ].map((text) => ({ 'host/operations.ts': text })),
});

// ── 4. Nothing lives in Wasm memory across a yield ───────────────────────────────────────────────

fence('wire.ts never waits', {
  check: (sources) =>
    complaints(sources, (node, path) =>
      path === 'host/wire.ts' &&
      (ts.isYieldExpression(node) ||
        ts.isAwaitExpression(node) ||
        node.kind === ts.SyntaxKind.AsyncKeyword ||
        (ts.isFunctionLike(node) && 'asteriskToken' in node && node.asteriskToken !== undefined))
        ? node.getText()
        : undefined,
    ),
  offenders: [
    'async function f() {}',
    'function f() { return async () => 1; }',
    'function* f() {}',
    'class Codec { *rows() {} }',
    'await codec();',
  ].map((text) => ({ 'host/wire.ts': text })),
});

/** An operation run by hand; between its steps others may use the codec. */
class HalfWay {
  readonly requests: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  readonly replies: { readonly reply: Reply; readonly before: string }[] = [];
  readonly #operation: Operation<unknown>;
  readonly #name: string;
  #asked: { readonly command: Command; readonly answer: Uint8Array } | undefined;

  constructor(name: string, operation: Operation<unknown>) {
    this.#name = name;
    this.#operation = operation;
  }

  /** Decode the reply to the last request, and encode the next request. */
  step(): boolean {
    const { done, value: effect } = this.#operation.next(this.#reply());
    if (done === true || effect.kind !== 'ioctl') return done !== true;
    const { command, request } = effect;
    const bytes = request instanceof Uint8Array ? request : encodeRequest(command, request);
    this.requests.push({ bytes, copy: bytes.slice() });
    this.#asked = { command, answer: encodeReply(command, { name: this.#name, dev: 64768 }) };
    return true;
  }

  #reply(): Reply | undefined {
    if (this.#asked === undefined) return undefined;
    const reply = decodeReply(this.#asked.command, this.#asked.answer);
    this.#asked = undefined;
    this.replies.push({ reply, before: JSON.stringify(reply) });
    return reply;
  }
}

Fences('two operations half-way on one codec never see each other', () => {
  const rowsOf = (mark: string, rows: number): Target[] =>
    Array.from({ length: rows }, (_, i) => ({
      startSector: 8 * i,
      length: 8,
      type: 'linear',
      parameters: `${mark}${i} ${i}`,
    }));
  // Of very different sizes: the larger one moves and overwrites what the smaller one used.
  const tables = { small: rowsOf('/dev/s', 1), large: rowsOf('/dev/l', 5000) };
  const both = Object.entries(tables).map(([name, targets]) => ({
    name,
    targets,
    run: new HalfWay(name, createActiveDevice(name, targets)),
    told: decodeReply('TABLE_STATUS', encodeReply('TABLE_STATUS', { targets })).targets,
  }));
  for (let busy = true; busy;) busy = both.map(({ run }) => run.step()).includes(true);
  for (const { name, targets, run, told } of both) {
    assert.is(run.requests.length, 3);
    for (const { bytes, copy } of run.requests) assert.equal(bytes, copy);
    for (const { reply, before } of run.replies) assert.is(JSON.stringify(reply), before);
    const load = decodeRequest('TABLE_LOAD', run.requests[1]!.bytes);
    assert.is(load.name, name);
    const loaded = load.targets.map(({ parameters }) => new TextDecoder().decode(parameters));
    const given = targets.map(({ parameters }) => parameters);
    assert.equal(loaded, given);
    assert.equal(
      told.map(({ words }) => words.join(' ')),
      given,
    );
  }
});

Fences('what the codec returns is no view of its memory', () => {
  const bytes = encodeRequest('TABLE_LOAD', { name: 'x', targets: '0 8 zero' });
  assert.is(bytes.buffer.byteLength, bytes.length);
  const [target] = decodeRequest('TABLE_LOAD', bytes).targets;
  assert.is(target?.parameters.buffer.byteLength, target?.parameters.length);
  assert.is(encodeReply('DEV_STATUS', {}).buffer.byteLength, 305);
});

// ── 5. Errors carry blame ────────────────────────────────────────────────────────────────────────

/** Errors of this package's author or of a Transport's, which no caller can cause by input, or sees. */
const programmingErrors: Readonly<Record<string, string>> = {
  'host/control.ts': 'RangeError', // an ioctl on a buffer without bytes: the kernel would get NULL
  'host/model/refusal.ts': 'Refusal', // an errno on its way to the ioctl, where it is caught
  'host/replay.ts': 'Error', // a run that is not the recorded one: a test's finding
  'host/targets/reader.ts': 'Refused', // caught in the same file: a reading ends there, as a finding
  'host/wire.ts': 'RangeError', // the codec's own layout is wrong, or memory is exhausted
};

fence('what is thrown says who is to blame', {
  check: (sources) => {
    const blames = Object.keys(internal).filter((name) => name.endsWith('Error'));
    const isBlame = (name: string, path: string): boolean =>
      (blames.includes(name) && name !== 'DeviceMapperError') || programmingErrors[path] === name;
    return complaints(sources, (node, path) => {
      if (!ts.isThrowStatement(node)) return undefined;
      const { expression } = node;
      if (ts.isNewExpression(expression) && isBlame(expression.expression.getText(), path)) {
        return undefined;
      }
      // What was caught may be thrown on.
      const caught = (outer: ts.Node): boolean =>
        ts.isCatchClause(outer) &&
        outer.variableDeclaration?.name.getText() === expression.getText();
      if (ts.isIdentifier(expression) && isInside(node, caught)) return undefined;
      // Made by a function of this file, or of errors.ts, that says so.
      const files = [
        node.getSourceFile(),
        host.get('host/errors.ts')!,
        host.get('host/events.ts')!,
      ];
      const makers = files.flatMap((file) => nodesOf(file).filter(ts.isFunctionDeclaration));
      const maker = makers.find(
        ({ name }) =>
          ts.isCallExpression(expression) && name?.text === expression.expression.getText(),
      );
      const made = maker?.type?.getText() ?? '';
      return isBlame(made, path) ? undefined : `throws ${expression.getText().split('(')[0]}`;
    });
  },
  offenders: [
    "throw new Error('no');",
    "throw 'no';",
    "throw new DeviceMapperError('ERR_DM_X', 'no');",
    'throw new RangeError();',
    'function oops(): Error { return new Error(); } throw oops();',
    'const error = new Error(); throw error;',
    'try { f(); } catch (error) { throw other; }',
  ].map((text) => ({ 'host/operations.ts': text })),
});

Fences('every exception to that is one', () => {
  for (const [path, name] of Object.entries(programmingErrors)) {
    const thrown = nodesOf(host.get(path)!).filter(
      (node) =>
        ts.isThrowStatement(node) &&
        ts.isNewExpression(node.expression) &&
        node.expression.expression.getText() === name,
    );
    assert.ok(thrown.length > 0, `${path} throws no ${name} any more`);
  }
});

Fences('every error is a DeviceMapperError, and behind every door', async () => {
  const classes = Object.entries(internal).filter(([name]) => name.endsWith('Error'));
  assert.is(classes.length, 9);
  for (const [name, constructor] of classes) {
    const { prototype } = constructor as typeof DeviceMapperError;
    assert.ok(prototype === DeviceMapperError.prototype || prototype instanceof DeviceMapperError);
    assert.is(prototype.name, name);
  }
  for (const door of ['devicemapper', 'devicemapper/codec', 'devicemapper/model']) {
    const exported = (await import(door)) as Record<string, unknown>;
    for (const [name, constructor] of classes) assert.is(exported[name], constructor, door);
  }
});

// ── The order of imports ─────────────────────────────────────────────────────────────────────────

/** From the top; an import goes down this list. */
const ORDER: readonly RegExp[] = [
  /^host\/(cli|editor)\//,
  // No door: it shows the tests what is below.
  /^host\/internal\.ts$/,
  /^host\/index\.ts$/,
  /^host\/model\.ts$/,
  /^host\/codec\.ts$/,
  /^host\/device-mapper\.ts$/,
  /^host\/drive\.ts$/,
  /^host\/operations\.ts$/,
  /^host\/(events|nodes)\.ts$/,
  /^host\/steps\.ts$/,
  // The Transports: beside device-mapper, but they know calls and bytes, and no operation.
  /^host\/(control|replay)\.ts$|^host\/model\//,
  // What control.ts is made of, and nobody else uses.
  /^host\/control\//,
  /^host\/(lint|concise|explain|statistics)\.ts$|^host\/targets\//,
  /^host\/(text|names|inspect)\.ts$/,
  /^host\/(wire|transport)\.ts$/,
  /^host\/(features|flags|keys|meaning|errors|types)\.ts$/,
  /^host\/generated\//,
];
const rankOf = (path: string): number => ORDER.findIndex((place) => place.test(path));
const TRANSPORTS = 10;
const DOORS = 4;

/** What is one Transport: a file, or the folder model/. */
const unitOf = (path: string): string => (path.startsWith('host/model/') ? 'host/model/' : path);

fence('imports go down', {
  check: (sources) =>
    [...graphOf(sources)].flatMap(([from, targets]) => [
      ...(rankOf(from) < 0 ? [`${from} has no place in the order`] : []),
      ...targets.flatMap((to) => {
        const up = rankOf(to) < rankOf(from);
        const betweenTransports =
          rankOf(from) === TRANSPORTS && rankOf(to) === TRANSPORTS && unitOf(from) !== unitOf(to);
        // The clients know no kernel: it is a door that brings them together.
        const known =
          rankOf(to) === TRANSPORTS && rankOf(from) > DOORS && rankOf(from) < TRANSPORTS;
        const part = to.startsWith('host/control/') && !/^host\/control[./]/.test(from);
        return up || betweenTransports || known || part ? [`${from} imports ${to}`] : [];
      }),
    ]),
  offenders: [
    { 'host/wire.ts': "import type { Operation } from './operations.js';" },
    { 'host/errors.ts': "export * from './codec.js';" },
    { 'host/replay.ts': "import { KernelTransport } from './control.js';" },
    { 'host/model/kernel.ts': "import { replay } from '../replay.js';" },
    { 'host/control.ts': "import { runSync } from './drive.js';" },
    { 'host/device-mapper.ts': "import { KernelTransport } from './control.js';" },
    { 'host/index.ts': "import { threads } from './control/threads.js';" },
    { 'host/helpers.ts': '' },
  ],
});

fence('imports never go in a circle', {
  check: (sources) => {
    const graph = graphOf(sources);
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) circles.push([...above, path].join(' → '));
      if (above.includes(path) || done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...above, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    return circles;
  },
  offenders: [
    {
      'host/errors.ts': "import { meaningOf } from './meaning.js';",
      'host/meaning.ts': "import type { KernelError } from './errors.js';",
    },
    { 'host/types.ts': "import { a } from './types.js';" },
  ],
});

fence('imports are there to import something', {
  sources: new Map([...host, ...assembly]),
  check: (sources) =>
    complaints(sources, (node) =>
      ts.isImportDeclaration(node) && node.importClause === undefined ? node.getText() : undefined,
    ),
  offenders: [{ 'host/index.ts': "import './targets/linear.js';" }],
});

// ── A codec, a kernel, a recording is a value ────────────────────────────────────────────────────

/** What a module may keep, and why. */
const KEPT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'host/wire.ts': {
    shared: 'the one codec, made by the first call: a cache, in which nothing of a call stays',
    utf8: 'without state',
    ascii: 'without state, as each decode is whole',
    strict: 'without state, as each decode is whole',
  },
  'host/control/threads.ts': { threads: "one for the process, as libuv's pool is" },
};

/** Module-level variables, and constants that hold an object which can change. */
function keptIn(sources: Sources): [path: string, name: string][] {
  return [...sources].flatMap(([path, file]) =>
    file.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
      declarationList.declarations
        .filter(({ initializer, type }) => {
          const constant = (declarationList.flags & ts.NodeFlags.Const) !== 0;
          const made = initializer !== undefined && ts.isNewExpression(initializer);
          return !constant || (made && type?.getText().startsWith('Readonly') !== true);
        })
        .map(({ name }): [string, string] => [path, name.getText()]),
    ),
  );
}

fence('no module has a state', {
  check: (sources) =>
    keptIn(sources)
      .filter(([path, name]) => KEPT[path]?.[name] === undefined)
      .map(([path, name]) => `${path} keeps ${name}`),
  offenders: [
    { 'host/operations.ts': 'let calls = 0;' },
    { 'host/wire.ts': 'var last;' },
    { 'host/errors.ts': 'export const seen = new Map<string, number>();' },
  ],
});

Fences('every exception to that is kept', () => {
  const listed = Object.entries(KEPT).flatMap(([path, names]) =>
    Object.keys(names).map((name) => [path, name]),
  );
  assert.equal(new Set(keptIn(host).map(String)), new Set(listed.map(String)));
});

// ── Not here ─────────────────────────────────────────────────────────────────────────────────────

fence('no default export, no any, no file named utils', {
  check: (sources) => [
    ...[...sources.keys()].filter((path) => /\butils?\b/.test(path)),
    ...complaints(sources, (node) => {
      if (ts.isExportAssignment(node)) return 'default export';
      if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent)) {
        return 'default export';
      }
      if (ts.isExportSpecifier(node) && node.name.text === 'default') return 'default export';
      return node.kind === ts.SyntaxKind.AnyKeyword ? 'any' : undefined;
    }),
  ],
  offenders: [
    { 'host/a.ts': 'export default 1;' },
    { 'host/a.ts': 'export default function f() {}' },
    { 'host/a.ts': "export { a as default } from './a.js';" },
    { 'host/a.ts': 'const a: any = 1;' },
    { 'host/utils.ts': '' },
  ],
});

fence('nothing that is exported takes a boolean by its place', {
  check: (sources) =>
    complaints(sources, (node) => {
      if (!ts.isParameter(node) || node.type?.kind !== ts.SyntaxKind.BooleanKeyword)
        return undefined;
      const owner = node.parent;
      const own = ts.isMethodDeclaration(owner) && ts.isPrivateIdentifier(owner.name);
      return !own && isInside(node, isExported) ? node.getText() : undefined;
    }),
  offenders: [
    { 'host/a.ts': 'export function remove(name: string, force: boolean) {}' },
    { 'host/a.ts': 'export class A { remove(force?: boolean) {} }' },
  ],
});

Fences.run();
