// README.md and docs/ say what is true, and every export says what it is.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PAGES, ROOT, programsOf, run, typeErrors, undocumented, type Program } from './docs.js';
import { assert, suite } from './harness.js';

const Docs = suite('docs');
const programs = PAGES.flatMap(programsOf);
const texts = PAGES.map((page) => [page, readFileSync(join(ROOT, page), 'utf8')] as const);

const runs = ['run', 'browser', 'target'];
for (const program of programs.filter(({ kind }) => runs.includes(kind))) {
  Docs(`${program.place} runs`, () => run(program));
}

Docs('every example in TypeScript is well typed', () => {
  const typed = programs.filter(({ language }) => language === 'ts');
  const inBrowser = ({ kind }: Program): boolean => kind === 'browser';
  const errors = typeErrors(
    typed.filter((program) => !inBrowser(program)),
    ['node'],
  );
  assert.equal(errors, []);
  assert.equal(typeErrors(typed.filter(inBrowser), []), []);
});

Docs('a browser is shown no door that needs Node', () => {
  for (const { place, code } of programs.filter(({ kind }) => kind === 'browser')) {
    assert.not.match(code, /from '(?!devicemapper\/(codec|model)')/, place);
  }
});

Docs('every link leads to a file', () => {
  for (const [page, text] of texts) {
    for (const [, path = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      assert.ok(existsSync(join(ROOT, dirname(page), path)), `${page}: ${path}`);
    }
  }
});

Docs('every npm script that is named exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [page, text] of texts) {
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) {
      assert.ok(name in scripts, `${page}: npm run ${name}`);
    }
  }
});

Docs('every export of the doors has a docstring', () => {
  assert.equal(undocumented(['index.ts', 'codec.ts', 'model.ts']), []);
});

Docs.run();
