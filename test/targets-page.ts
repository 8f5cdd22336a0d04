// docs/targets.md, made of what the target types say of themselves: their docstrings, their types, and
// the lines that their examples make. `npm run docs:targets` writes it; a test sees whether it is stale.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as prettier from 'prettier';
import ts from 'typescript';
import * as codec from 'devicemapper/codec';
import type { Parameter, Target } from 'devicemapper/codec';
import { isPart, traitsOf, type Parts } from '#internal';
import { KEPT, seriesOf } from './agreement/kept.js';
import { ROOT } from './docs.js';

export const PAGE = 'docs/targets.md';

/** The kernels on which targets.kernel.test.ts was run. */
const KERNELS = '5.10, 6.1, 6.12, 7.2';

const HEAD = `# Targets

Each target type is a function: it takes options and makes a row of a table, for \`createActiveDevice\` and
its likes. Options have the kernel's names in camelCase; those that are left out are the kernel's to
choose. They are written in the order of the object's keys. A value that is missing, unknown or out of its
range is an \`InputError\` whose \`path\` is the option's name.

\`\`\`ts browser
import { linear, parseTarget, buildTarget } from 'devicemapper/codec';

const row = linear({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 34 });
row; // { startSector: 0, length: 2048, type: 'linear', parameters: ['/dev/sdb', 34] }

// And back, of what the kernel tells, or of a line. A type that is not known stays as it is.
const target = parseTarget('0 2048 thin 253:0 7');
if (target.type === 'thin') target.id; // 7
const other = parseTarget('0 8 writeboost 8:0');
other.type; // 'unknown'
buildTarget(other).type; // 'writeboost'
\`\`\`

Words behind those that a type knows, as a newer kernel may have, are kept in \`rest\`, options among
others in \`unknownOptions\`, and both are written back. The log of a mirror and the path selector of a
multipath device may be \`'unknown'\` as well, with a name and words.

## Status

\`getStatus\` tells each target's status in the kernel's text and in values, \`parseStatus\` those of a text.
\`state\` is 'active' where there are numbers, one of the type's own words where there is only that,
'unreadable' where the text is cut off or not as the kernel's source has it, and 'unknown' for types that
are not known here.

\`\`\`ts kernel
import { DeviceMapperSync, linear, delay } from 'devicemapper';

using dm = DeviceMapperSync.open();
dm.createActiveDevice('slow', [
  delay({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 0, delay: 5 }),
  linear({ startSector: 2048, length: 2048, device: '/dev/sdb', offset: 2048 }),
]);
const [first] = dm.getStatus('slow').targets;
if (first?.type === 'delay' && first.status.state === 'active') first.status.reads; // 0
dm.removeDevice('slow', { retry: true });
\`\`\`

## Messages

What a target can be told is in its \`messages\`. \`sendMessage\` returns what the answer means.

\`\`\`ts kernel
import { DeviceMapperSync, dust, statistics } from 'devicemapper';

using dm = DeviceMapperSync.open();
dm.createActiveDevice('dusty', [
  dust({ startSector: 0, length: 2048, device: '/dev/sdb', offset: 0, blockSize: 512 }),
]);
dm.sendMessage('dusty', dust.messages.addbadblock({ block: 60 }));
dm.sendMessage('dusty', dust.messages.countbadblocks()); // 1

// Statistics are the device's own, whatever its targets.
const id = dm.sendMessage('dusty', statistics.create({ areas: 2 }));
dm.sendMessage('dusty', statistics.print({ id })).length; // 2
dm.removeDevice('dusty', { retry: true });
\`\`\`
`;

const TAIL = `## Another type

A type is one file in \`host/targets/\` and its line in \`host/targets/index.ts\`: the constructor, both
parsers, the types, this page and the property tests come from its definition.

\`\`\`ts types
import { defineTarget } from './define.js';
import { device, sectors } from './fields.js';
import { flag, options } from './parts.js';

/** What it does. */
export const example = /* @__PURE__ */ defineTarget('example', () => ({
  parameters: [
    {
      /** What lies beneath. */
      device: device(),
      /** Where on it, in sectors. */
      offset: sectors(),
    },
    options({
      /** An option among others. */
      readOnly: flag(),
    }),
  ],
}));
\`\`\`

\`fields.ts\` has what one option can be, \`parts.ts\` what a line is made of beside single options, and
\`messages.ts\` messages. \`npm run docs:targets\` writes this page again.
`.replace('```ts types', '```typescript');

/** One type, as its docstrings and types have it. */
interface Described {
  readonly name: string;
  readonly type: string;
  readonly about: string;
  readonly since: string;
  readonly source: string;
  readonly example: string;
  readonly options: readonly string[];
  readonly status: readonly string[];
  readonly states: readonly string[];
  readonly messages: readonly string[];
}

/** What is left of a definition at run time. */
interface Defined {
  readonly definition: { readonly parameters: Parts; readonly status?: Parts };
}

/** The keys of what is known. */
function keysOf(parts: Parts): string[] {
  return parts
    .flatMap((part) => (isPart(part) ? part.keys : Object.keys(part)))
    .filter((key) => !key.startsWith('unknown'));
}

/** What the doors' types say of each target type. */
function describe(): Described[] {
  const types = codec as unknown as Readonly<Record<string, Defined>>;
  const path = join(ROOT, 'host/targets/index.ts');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) =>
    ts.sys.readFile(file),
  ) as { config: { compilerOptions: object } };
  const settings = { ...config.compilerOptions, isolatedDeclarations: false, noEmit: true };
  const { options } = ts.convertCompilerOptionsFromJson(settings, ROOT);
  const program = ts.createProgram([path], options);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
  const docOf = (symbol: ts.Symbol): string =>
    ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ');
  const typeOf = (symbol: ts.Symbol): ts.Type => checker.getTypeOfSymbol(symbol);

  const textOf = (type: ts.Type): string =>
    checker
      .typeToString(
        checker.getNonNullableType(type),
        undefined,
        ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType,
      )
      .replaceAll('<ArrayBufferLike>', '')
      .replace(/Readonly<Record<'(\w+)' \| '(\w+)', number>>/, (_, a: string, b: string) =>
        a === 'total' ? `{ ${b}, ${a} }` : `{ ${a}, ${b} }`,
      );
  const nameOf = ({ name, flags }: ts.Symbol): string =>
    (flags & ts.SymbolFlags.Optional) !== 0 ? `${name}?` : name;

  /** One line each, in the order of the words; below it what its objects are made of. */
  const lines = (symbols: readonly ts.Symbol[], indent = ''): string[] =>
    symbols.flatMap((symbol) => {
      const type = checker.getNonNullableType(typeOf(symbol));
      const isArray = checker.isArrayType(type);
      const one = isArray ? checker.getTypeArguments(type as ts.TypeReference)[0]! : type;
      const kinds = one.isUnion() ? one.types : [one];
      const areObjects = kinds.every((kind) => symbolsOf(kind).length > 0);
      const many = kinds.length > 1 ? 'one of several' : 'an object';
      const own = !areObjects ? `\`${textOf(type)}\`` : isArray ? `an array, each ${many}` : many;
      const line = `${indent}- \`${nameOf(symbol)}\`, ${own}: ${docOf(symbol)}`;
      return areObjects ? [line, ...kindLines(kinds, `${indent}  `)] : [line];
    });

  /** What an object has that is described here. */
  function symbolsOf(type: ts.Type): ts.Symbol[] {
    const isOurs = type.isIntersection() || (type.flags & ts.TypeFlags.Object) !== 0;
    if (!isOurs || type.getSymbol()?.name === 'Uint8Array') return [];
    return type.getProperties().filter((symbol) => docOf(symbol) !== '' || isLiteral(symbol));
  }
  function isLiteral(symbol: ts.Symbol): boolean {
    return typeOf(symbol).isStringLiteral();
  }

  /** Each kind of several, with what none before it has said. */
  function kindLines(kinds: readonly ts.Type[], indent: string): string[] {
    const [only] = kinds;
    if (kinds.length === 1) return lines(symbolsOf(only!), indent);
    const seen = new Set<string>();
    const shapes = kinds.map((kind) => {
      const symbols = symbolsOf(kind);
      const keys = symbols.map((symbol) =>
        isLiteral(symbol) ? `${symbol.name}: ${textOf(typeOf(symbol))}` : nameOf(symbol),
      );
      return { shape: `{ ${keys.join(', ')} }`, symbols };
    });
    // The checker has them in no order; what is not known comes last.
    const rank = ({ shape }: { readonly shape: string }): string =>
      `${Number(shape.includes(": 'unknown'"))} ${shape}`;
    shapes.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    return shapes.flatMap(({ shape, symbols }) => {
      const blocks = symbols
        .filter((symbol) => !isLiteral(symbol))
        .map((symbol) => lines([symbol], `${indent}  `))
        .filter((block) => !seen.has(block.join()));
      for (const block of blocks) seen.add(block.join());
      return [`${indent}- \`${shape}\``, ...blocks.flat()];
    });
  }

  const linesOfKeys = (type: ts.Type, keys: readonly string[]): string[] =>
    lines(keys.map((key) => type.getProperty(key)!));

  return checker.getExportsOfModule(module).map((alias): Described => {
    const symbol = checker.getAliasedSymbol(alias);
    const tags = new Map(
      symbol.getJsDocTags(checker).map(({ name, text }) => [name, ts.displayPartsToString(text)]),
    );
    const type = typeOf(symbol);
    const [call] = type.getCallSignatures();
    const property = (name: string): ts.Type => typeOf(type.getProperty(name)!);
    const told = property('parseStatus').getCallSignatures()[0]!.getReturnType();
    const members = told.isUnion() ? told.types : [told];
    const stateOf = (member: ts.Type): string => {
      const state = typeOf(member.getProperty('state')!);
      return state.isUnion()
        ? state.types.map((each) => (each as ts.StringLiteralType).value).join(', ')
        : (state as ts.StringLiteralType).value;
    };
    const active = members.find((member) => stateOf(member) === 'active')!;
    const states = members.map(stateOf).filter((state) => !/^(active|unreadable)$/.test(state));
    const messages = property('messages')
      .getProperties()
      .map((message) => {
        const [signature] = typeOf(message).getCallSignatures();
        const [given] = signature!.getParameters();
        const [tuple] =
          given === undefined ? [] : checker.getTypeArguments(typeOf(given) as ts.TypeReference);
        const names = tuple === undefined ? [] : argumentsOf(tuple);
        return `- \`${message.name}(${names.length > 0 ? `{ ${names.join(', ')} }` : ''})\`: ${docOf(message)}`;
      });
    function argumentsOf(given: ts.Type): string[] {
      return checker
        .getNonNullableType(given)
        .getProperties()
        .filter(({ name }) => name !== 'sector')
        .map(nameOf);
    }
    const { definition } = types[alias.name]!;
    return {
      name: alias.name,
      type: (property('type') as ts.StringLiteralType).value,
      about: docOf(symbol),
      since: tags.get('since') ?? '',
      // The first word of it is taken for a name.
      source: (tags.get('see') ?? '').replace(/\s+/g, ' ').replace(/^(\w+) \//, '$1/'),
      example: tags.get('example') ?? '',
      options: linesOfKeys(typeOf(call!.getParameters()[0]!), keysOf(definition.parameters)),
      status: linesOfKeys(active, keysOf(definition.status ?? [])),
      states: states.flatMap((state) => state.split(', ')),
      messages,
    };
  });
}

/** The lines that the examples make. */
async function linesOf(types: readonly Described[]): Promise<ReadonlyMap<string, string>> {
  const folder = join(ROOT, 'build/docs');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'targets.mjs');
  const rows = types.map(({ name, example }) => `${name}: ${example}`).join(',\n');
  const names = types.map(({ name }) => name).join(', ');
  writeFileSync(
    path,
    `import { joinParameters, ${names} } from 'devicemapper/codec';\nexport const rows = {${rows}};\n`,
  );
  const { rows: made } = (await import(pathToFileURL(path).href)) as {
    rows: Record<string, Target>;
  };
  return new Map(
    Object.entries(made).map(([name, { parameters }]) => [
      name,
      codec.joinParameters(parameters as Parameter[]),
    ]),
  );
}

/** The page as it should be. */
export async function targetsPage(): Promise<string> {
  const types = describe();
  const made = await linesOf(types);
  const proven = readFileSync(join(ROOT, 'test/targets.kernel.test.ts'), 'utf8');
  const isProven = (name: string): boolean => new RegExp(`\\b${name}\\(`).test(proven);
  const rows = types.map(({ name, type, since, status, states, messages }) => {
    const tells = status.length > 0 || states.length > 0 ? 'yes' : 'empty';
    const kernels = isProven(name) ? KERNELS : 'no kernel was asked';
    const count = messages.length > 0 ? String(messages.length) : '';
    const rules = traitsOf(type).rules.length;
    const judges = KEPT.filter(({ outcomes }) => type in outcomes).map(seriesOf);
    const row = [
      `[${type}](#${name.toLowerCase()})`,
      ...[`\`${name}\``, since, tells, count, kernels],
      rules > 0 ? `[${rules}](lint.md#${type})` : '',
      judges.join(', '),
    ];
    return `| ${row.join(' | ')} |`;
  });
  const table = [
    '## All types',
    '',
    'Where no kernel was asked, the lines of the documentation and of the kernel’s source are what the tests hold on to.'.replace(
      '’',
      "'",
    ),
    '',
    '| type | function | since | status | messages | made on Linux | rules | judged on Linux |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
  const sections = types.map(
    ({ name, type, about, source, example, options, status, states, messages }) => {
      const line = made.get(name)!;
      const claim =
        line === '' ? 'row.parameters; // []' : `joinParameters(row.parameters); // '${line}'`;
      const imports = line === '' ? name : `joinParameters, ${name}`;
      return [
        `## ${name}`,
        '',
        `\`${type}\`: ${about}`,
        '',
        '```ts browser',
        `import { ${imports} } from 'devicemapper/codec';`,
        '',
        `const row = ${example.trim()};`,
        claim,
        '```',
        '',
        ...(options.length > 0 ? ['Options:', '', ...options, ''] : []),
        ...(status.length > 0 ? ['Status:', '', ...status, ''] : []),
        ...(states.length > 0
          ? [`States without numbers: ${states.map((state) => `'${state}'`).join(', ')}.`, '']
          : []),
        ...(messages.length > 0 ? ['Messages:', '', ...messages, ''] : []),
        `See ${source}.`,
        '',
      ].join('\n');
    },
  );
  const text = [HEAD, table.join('\n'), '', ...sections, TAIL].join('\n');
  const config = await prettier.resolveConfig(join(ROOT, PAGE));
  return await prettier.format(text, { ...config, parser: 'markdown' });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(ROOT, PAGE), await targetsPage());
}
