// After the compiler: checks the module and writes it, its constants and its types into the host,
// so that importing a door instantiates nothing and no layout is said twice.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const NOTE = '// Written by assembly/embed.mjs at build time. Do not edit.\n\n';

const wasm = readFileSync('build/codec.wasm');
const module = new WebAssembly.Module(wasm);
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
  // A stray `throw`, string or allocation in assembly/ shows up as an import of env.abort.
  throw new Error(`the codec must import nothing, but wants ${JSON.stringify(imports)}`);
}

const asc = ['assembly/constants.ts', '--config', 'none', '--runtime', 'stub'];
asc.push('--disableWarning', '235', '--outFile', 'build/constants.wasm');
execFileSync('node_modules/.bin/asc', asc, { stdio: 'inherit' });
const constants = new WebAssembly.Module(readFileSync('build/constants.wasm'));
const values = new WebAssembly.Instance(constants).exports;

/** What uapi.ts says of each constant: a reader of the host's types has no assembly/. */
const source = readFileSync('assembly/uapi.ts', 'utf8');
const documented = source.matchAll(/^(\/\*\*(?:(?!\*\/)[^])*\*\/\n)export const (\w+)/gm);
const comments = new Map(Array.from(documented, ([, comment, name]) => [name, comment]));

/** dm-ioctl.h's own names; all else is between the module and the host. */
const uapi = [];
const uapiNames = [];
const abi = [];
const enums = new Map();
for (const [name, global] of Object.entries(values)) {
  if (!(global instanceof WebAssembly.Global)) continue;
  const [group, member] = name.split('.');
  if (member !== undefined) {
    if (!enums.has(group)) enums.set(group, []);
    enums.get(group).push([member, global.value]);
  } else if (name.startsWith('DM_')) {
    uapiNames.push(name);
    const value = global.value >>> 0;
    const literal = value > 0xffff ? `0x${value.toString(16)}` : value;
    uapi.push(`${comments.get(name) ?? ''}export const ${name} = ${literal};`);
  } else {
    abi.push(`export const ${name} = ${global.value >>> 0};`);
  }
}
// As a list, for who has bits and wants names: a namespace object of all constants costs each start 1 ms.
const flags = uapiNames
  .filter((name) => /^DM_(?!UDEV|NAME_LIST)\w+_FLAG$/.test(name) || name === 'DM_DEFERRED_REMOVE')
  .map((name) => [name, values[name].value >>> 0])
  .sort(([, a], [, b]) => a - b)
  .map(([name, bit]) => `  ['${name}', ${bit}],`);
abi.push(
  `/** The flags of struct dm_ioctl, from the lowest bit on. */\nexport const FLAGS: readonly (readonly [string, number])[] = [\n${flags.join('\n')}\n];`,
);

mkdirSync('host/generated', { recursive: true });
for (const [name, members] of enums) {
  if (name === 'Status') {
    // The host looks these up by name.
    const list = members.map(([member, value]) => `  ${member}: ${value},\n`);
    abi.push(`export const ${name} = {\n${list.join('')}} as const;`);
  } else {
    // Of a module of constants the bundler writes each as its number, where it is used.
    const file = name.toLowerCase();
    const list = members.map(([member, value]) => `export const ${member} = ${value};\n`);
    writeFileSync(`host/generated/${file}.ts`, `${NOTE}${list.join('')}`);
    abi.push(`export * as ${name} from './${file}.js';`);
  }
}
mkdirSync('dist', { recursive: true });
writeFileSync('host/generated/uapi.ts', `${NOTE}${uapi.join('\n')}\n`);
writeFileSync('host/generated/abi.ts', `${NOTE}${abi.join('\n')}\n`);
writeFileSync(
  'host/generated/wasm.ts',
  `${NOTE}/** build/codec.wasm in base64. */\nexport const WASM = '${wasm.toString('base64')}';\n`,
);
copyFileSync('build/codec.d.ts', 'host/generated/module.d.ts');
copyFileSync('build/codec.wasm', 'dist/codec.wasm');
