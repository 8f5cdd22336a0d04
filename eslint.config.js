import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import globals from 'globals';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores(['build/', 'dist/', 'coverage/', 'host/generated/']),
  js.configs.recommended,
  {
    files: ['host/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'no-restricted-globals': ['error', 'window', 'document', 'Buffer'],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'koffi',
              message: 'host/control/libc.ts loads it, lazily',
              allowTypeImports: true,
            },
            { name: '@assemblyscript/loader', message: 'host/wire.ts only' },
            { name: 'uvu', message: 'test/harness.ts only' },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Assertions on unknown errors read `e.code` after a cast; a `!` says "the test built it".
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['host/wire.ts', 'test/harness.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    files: ['assembly/**/*.ts'],
    extends: [tseslint.configs.recommended],
    // AssemblyScript's u64 literals are no JavaScript numbers.
    rules: { 'no-undef': 'off', 'no-loss-of-precision': 'off' },
  },
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: globals.node } },
  prettier,
);
