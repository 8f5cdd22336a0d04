// What a codec makes of many inputs, in one line each: to be the same wherever JavaScript runs. It imports
// nothing, so that it can be served to a browser.

/** The functions of the codec that are tried. */
export interface CodecLike {
  decodeReply(command: never, bytes: Uint8Array, options?: { readonly bigint: true }): unknown;
  decodeRequest(command: never, bytes: Uint8Array, options?: { readonly bigint: true }): unknown;
  encodeRequest(command: never, request: never): Uint8Array;
  splitParameters(parameters: Uint8Array): readonly string[];
  joinParameters(words: readonly string[]): string;
}

/** The functions of text that are tried. */
export interface TextLike {
  parseTable(text: string | Uint8Array): readonly unknown[];
  formatTable(table: never): string;
  lintTable(table: never, options?: object): readonly unknown[];
}

export interface Input {
  readonly command: string;
  /** In base64, as it is to travel as JSON. */
  readonly bytes: string;
}

function told(call: () => unknown): string {
  try {
    return JSON.stringify(call(), (_, value: unknown) => {
      if (typeof value === 'bigint') return `${value}n`;
      return value instanceof Uint8Array ? Array.from(value).join() : value;
    });
  } catch (error) {
    return String(error);
  }
}

export function transcript(codec: CodecLike, inputs: readonly Input[]): string[] {
  return inputs.map(({ command, bytes: base64 }) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const name = command as never;
    const wide = { bigint: true } as const;
    const request = (): unknown => codec.decodeRequest(name, bytes, wide);
    return [
      told(() => codec.decodeReply(name, bytes, wide)),
      told(() => codec.decodeReply(name, bytes)),
      told(request),
      told(() => codec.encodeRequest(name, request() as never)),
      told(() => codec.encodeRequest(name, { targets: new TextDecoder().decode(bytes) } as never)),
      told(() => codec.joinParameters(codec.splitParameters(bytes))),
    ].join('\n');
  });
}

/** What is made of texts: their targets, those as text again, and what is wrong with both, by any rule. */
export function textTranscript(door: TextLike, texts: readonly string[]): string[] {
  const device = { sectors: 1000, dev: '8:16', readOnly: true, logicalBlockSize: 4096 };
  const machine = { kernel: '6.12', devices: { '/dev/sdb': device } };
  return texts.map((text) => {
    const given = text as never;
    const bytes = new TextEncoder().encode(text);
    return [
      told(() => door.parseTable(text)),
      told(() => door.parseTable(bytes)),
      told(() => door.formatTable(given)),
      told(() => door.formatTable(door.parseTable(text) as never)),
      told(() => door.lintTable(given)),
      told(() => door.lintTable(bytes as never, machine)),
      told(() => door.lintTable(door.parseTable(text) as never, machine)),
    ].join('\n');
  });
}
