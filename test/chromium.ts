// A page in a headless Chromium, to which this repository's files are served.

import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';

/** Where all suites are to run it is a failure not to have it. */
export const hasChromium = (): boolean => existsSync(CHROMIUM) || process.env.CI === 'true';
export const NO_CHROMIUM = `there is no ${CHROMIUM} (npm run setup browser)`;

/** Open an empty page, whose scripts may come from here only, and make WebAssembly. */
export async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const path = join(root, new URL(request.url!, 'http://localhost').pathname);
    const type = extname(path) === '.js' ? 'text/javascript' : 'text/html';
    response.writeHead(200, {
      'content-type': type,
      'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'",
    });
    // The icon that a browser asks for is none of ours.
    if (type === 'text/javascript') createReadStream(path).pipe(response);
    else response.end('<!doctype html>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await use(page);
  } finally {
    await browser.close();
    server.close();
  }
}
