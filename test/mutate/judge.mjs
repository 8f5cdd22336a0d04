// `judge.mjs FILE…`: run test files in this process, one after the other, until one fails. Exits with 1
// then, and names the test.

import { pathToFileURL } from 'node:url';

globalThis.UVU_DEFER = 1;
const [harness, ...files] = process.argv.slice(2);
const { runFile } = await import(pathToFileURL(harness).href);
let test = '';
for (const file of files) {
  const { failed } = await runFile(pathToFileURL(file).href, 60_000, (name) => (test = name));
  if (failed > 0) {
    console.error(test);
    process.exit(1);
  }
}
process.exit(0);
