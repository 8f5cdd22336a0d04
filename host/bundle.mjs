// After the types: what stands behind each door becomes one file, and with it what the next door shares.
// Node takes longer to find and read forty small modules than to run them.

import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** Each imports the ones before it; the last is no door, and not published. */
const doors = ['codec', 'model', 'index', 'internal'];

const options = {
  external: [/^node:/, 'koffi'],
  // That the first two run anywhere is what tsconfig.iso.json is for.
  platform: 'neutral',
  transform: { target: 'es2023' },
  logLevel: 'warn',
};

/** The modules that a door needs. */
async function modulesOf(door) {
  const { output } = await build({ ...options, input: `host/${door}.ts`, write: false });
  return new Set(output.flatMap(({ moduleIds = [] }) => moduleIds));
}

const groups = [];
for (const [i, name] of doors.slice(0, -1).entries()) {
  const modules = await modulesOf(name);
  groups.push({ name, priority: doors.length - i, test: (id) => modules.has(id) });
}
await rm('dist/chunks', { recursive: true, force: true });
await build({
  ...options,
  input: Object.fromEntries(doors.map((door) => [door, `host/${door}.ts`])),
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
    // A bundler drops the targets that nobody uses by what is annotated.
    comments: { legal: false, jsdoc: false, annotation: true },
    codeSplitting: { groups },
  },
});
