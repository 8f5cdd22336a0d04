// The examples in README.md and docs/, taken out and run. A block of TypeScript or JavaScript is a
// program, and the words behind its language say what becomes of it:
//
//   ts           type-checked, and run where the quick tests run: it needs no kernel
//   ts browser   the same, but type-checked without Node's types, and importing no door that needs Node
//   ts kernel    type-checked, and run in a guest, as root
//   ts types     type-checked only
//   ts target    type-checked as a file of host/targets/, and its definition made
//   js …         run as it stands, by Node alone: a program that a reader may copy
//
// A statement with a comment behind it, `disk.path; // '/dev/mapper/joined'`, is a claim: both sides are
// evaluated and must be equal, and every claim must be reached. Other comments have lines of their own.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect, isDeepStrictEqual } from 'node:util';
import ts from 'typescript';

/** This file runs from build/js/test. */
export const ROOT = join(import.meta.dirname, '../../..');
const WORK = join(ROOT, 'build/docs');

/** The pages with examples, as paths from the root. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
].filter((path) => path.endsWith('.md'));

const KINDS = ['run', 'browser', 'kernel', 'types', 'target'] as const;

export interface Program {
  /** 'README.md:42', its first line. */
  readonly place: string;
  readonly language: 'ts' | 'js';
  readonly kind: (typeof KINDS)[number];
  /** Each of its lines has the number that it has in the page. */
  readonly code: string;
}

/** The programs of a page. */
export function programsOf(page: string): Program[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const programs: Program[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, language, words] = /^```(\w+)(.*)$/.exec(lines[at]!) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at);
    if (end < 0) throw new Error(`${page}:${at + 1}: the block has no end`);
    const block = lines.slice(at + 1, end);
    if (language === 'ts' || language === 'js') {
      const place = `${page}:${at + 2}`;
      const kind = KINDS.find((known) => known === (words!.trim() || 'run'));
      if (kind === undefined) throw new Error(`${place}: nothing is known of "${words}"`);
      const code = '\n'.repeat(at + 1) + block.join('\n');
      programs.push({ place, language, kind, code });
    }
    at = end;
  }
  return programs;
}

// ── Types ────────────────────────────────────────────────────────────────────────────────────────

/** What tsc finds wrong with programs, each an error with its place in the page. */
export function typeErrors(programs: readonly Program[], types: readonly string[]): string[] {
  const readFile = (path: string): string | undefined => ts.sys.readFile(path);
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), readFile) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      types,
      noEmit: true,
      isolatedDeclarations: false,
      declaration: false,
    },
    ROOT,
  );
  const sources = new Map(programs.map((program) => [`${pathOf(program)}.ts`, program]));
  const host = ts.createCompilerHost(options);
  host.fileExists = (path) => sources.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => sources.get(path)?.code ?? readFile(path);
  const program = ts.createProgram([...sources.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    if (file === undefined) return text;
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    const page = sources.get(file.fileName)?.place.replace(/\d+$/, '') ?? `${file.fileName}:`;
    return `${page}${line + 1}: ${text}`;
  });
}

/** Where a program is written to: inside the package, so that its imports are those of its doors. */
function pathOf({ place, kind }: Program): string {
  const folder = kind === 'target' ? join(ROOT, 'host/targets') : WORK;
  return join(folder, place.replace(/\W/g, '-'));
}

/** A file of host/targets/ as a program: what its neighbours export is behind the doors. */
function asProgram(program: Program): Program {
  const { kind, code } = program;
  if (kind !== 'target') return program;
  const [, name] = /^export const (\w+)/m.exec(code)!;
  const own = code.replace(/from '\.\/\w+\.js'/g, "from '#internal'");
  return { ...program, kind: 'run', code: `${own}\n${name}.rules;` };
}

// ── Claims ───────────────────────────────────────────────────────────────────────────────────────

/** Of each program that runs now, the lines whose claims were reached. */
const reached = new Map<string, Set<number>>();

/** For programs under test: what compares the two sides of a claim. */
export function claimsOf(place: string): (line: number, actual: unknown, said: unknown) => void {
  return (line, actual, said) => {
    reached.get(place)!.add(line);
    // A clone is a plain object, as a literal is, where the value is of some class.
    if (isDeepStrictEqual(structuredClone(actual), said)) return;
    throw new Error(`line ${line} says ${inspect(said)}, but it is ${inspect(actual)}`);
  };
}

/** The program with its claims turned into calls, and their lines. */
function withClaims({ code, language }: Program): { code: string; lines: number[] } {
  const kind = language === 'ts' ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  const file = ts.createSourceFile('program', code, ts.ScriptTarget.Latest, false, kind);
  const lines: number[] = [];
  let text = '';
  let at = 0;
  const visit = (node: ts.Node): void => {
    const [comment] = ts.getTrailingCommentRanges(code, node.end) ?? [];
    if (!ts.isExpressionStatement(node) || comment === undefined) {
      ts.forEachChild(node, visit);
      return;
    }
    const { expression } = node;
    const said = code.slice(comment.pos + 2, comment.end);
    const line = file.getLineAndCharacterOfPosition(comment.pos).line + 1;
    const start = expression.getStart(file);
    text += `${code.slice(at, start)}$is(${line}, ${code.slice(start, expression.end)},${said})`;
    at = expression.end;
    lines.push(line);
  };
  visit(file);
  return { code: text + code.slice(at), lines };
}

/** Run a program in this process; it throws what the program throws, or the first claim that is false. */
export async function run(given: Program): Promise<void> {
  const program = asProgram(given);
  const { place, language } = program;
  const claims = withClaims(program);
  let { code } = claims;
  if (language === 'ts') {
    const { outputText, diagnostics = [] } = ts.transpileModule(code, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
      reportDiagnostics: true,
    });
    for (const { messageText } of diagnostics) {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    }
    code = outputText;
  }
  const prelude = `import { claimsOf } from ${JSON.stringify(import.meta.url)}; const $is = claimsOf(${JSON.stringify(place)});`;
  mkdirSync(WORK, { recursive: true });
  const path = `${pathOf(program)}.mjs`;
  writeFileSync(path, `${prelude} ${code}\n`);
  reached.set(place, new Set());
  await import(pathToFileURL(path).href);
  const missed = claims.lines.filter((line) => !reached.get(place)!.has(line));
  if (missed.length > 0) throw new Error(`claims never reached: lines ${missed.join(', ')}`);
}

// ── Docstrings ───────────────────────────────────────────────────────────────────────────────────

/** What the doors export without a docstring, and the methods of their classes. */
export function undocumented(doors: readonly string[]): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
  };
  const program = ts.createProgram(
    doors.map((door) => join(ROOT, 'host', door)),
    options,
  );
  const checker = program.getTypeChecker();
  const isSilent = (symbol: ts.Symbol): boolean =>
    symbol.getDocumentationComment(checker).length === 0;
  return doors.flatMap((door) => {
    const file = program.getSourceFile(join(ROOT, 'host', door))!;
    const names = checker.getExportsOfModule(checker.getSymbolAtLocation(file)!);
    if (names.length === 0) return [`${door} exports nothing`];
    return names.flatMap((name) => {
      const alias = (name.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = alias ? checker.getAliasedSymbol(name) : name;
      const members = [...(symbol.members ?? []), ...(symbol.exports ?? [])]
        .map(([, member]) => member)
        .filter(({ flags }) => (flags & ts.SymbolFlags.Method) !== 0)
        .filter(({ name: member }) => !member.includes('#'));
      return [symbol, ...members]
        .filter(isSilent)
        .map((silent) => (silent === symbol ? name.name : `${name.name}.${silent.name}`))
        .map((what) => `${door}: ${what}`);
    });
  });
}
