import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lintPage } from './page.js';

writeFileSync(join(import.meta.dirname, '../../../../docs/lint.md'), lintPage());
