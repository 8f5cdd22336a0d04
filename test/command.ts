// What the commands of this folder share: how they read numbers, show that they go on, and end.

/** A whole number from 0 on, as it was given behind `--name`. */
export function wholeNumber(name: string, text = ''): number {
  const value = Number(text);
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name}: expected a whole number, got '${text}'`);
}

/** A line in place of the last one, if a person watches. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

/** Print `help` if it is asked for; else the exit code is what `main` gives, and 2 if it cannot begin. */
export async function runCommand(
  help: string | undefined,
  main: () => Promise<number>,
): Promise<void> {
  if (help !== undefined) {
    console.log(help);
    return;
  }
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
