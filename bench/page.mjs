// What a bundler makes of a page that uses a part of devicemapper/codec.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const PAGE = resolve(ROOT, 'page.js');

/** The code of a page that exports `names`. */
export async function pageWith(names, { minify = false } = {}) {
  const { output } = await build({
    cwd: ROOT,
    input: PAGE,
    write: false,
    platform: 'neutral',
    resolve: { conditionNames: ['import', 'default'] },
    logLevel: 'silent',
    output: { minify },
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === PAGE ? id : null),
        load: (id) =>
          id === PAGE ? `export { ${names.join(', ')} } from 'devicemapper/codec';` : null,
      },
    ],
  });
  return output[0].code;
}
