// block/blk-settings.c: what a device asks of I/O to it, and how that of lower devices adds up.

/** struct queue_limits, as far as it can be seen: all in bytes. */
export interface Limits {
  logicalBlockSize: number;
  physicalBlockSize: number;
  ioMin: number;
  /** 0 if there is none. */
  ioOpt: number;
  /** How far the first sector is behind the end of one `ioMin`. */
  alignmentOffset: number;
}

/** blk_set_stacking_limits() */
export function stackingLimits(): Limits {
  return {
    logicalBlockSize: 512,
    physicalBlockSize: 512,
    ioMin: 512,
    ioOpt: 0,
    alignmentOffset: 0,
  };
}

/** A disk whose blocks are of one size. */
export function diskLimits(logicalBlockSize: number): Limits {
  const block = { logicalBlockSize, physicalBlockSize: logicalBlockSize, ioMin: logicalBlockSize };
  return { ...stackingLimits(), ...block };
}

/**
 * blk_stack_limits(): `top` takes what `bottom` asks for, from `start` on.
 *
 * @param start - in sectors
 * @returns do the two agree on where blocks begin?
 */
export function stackLimits(top: Limits, bottom: Limits, start: bigint): boolean {
  const granularity = Math.max(bottom.physicalBlockSize, bottom.ioMin);
  const behind = Number((start * 512n) % BigInt(granularity));
  const alignment = (granularity + bottom.alignmentOffset - behind) % granularity;
  let agree = true;
  if (top.alignmentOffset !== alignment) {
    const a = Math.max(top.physicalBlockSize, top.ioMin) + top.alignmentOffset;
    const b = granularity + alignment;
    if (Math.max(a, b) % Math.min(a, b) !== 0) agree = false;
  }
  top.logicalBlockSize = Math.max(top.logicalBlockSize, bottom.logicalBlockSize);
  top.physicalBlockSize = Math.max(top.physicalBlockSize, bottom.physicalBlockSize);
  top.ioMin = Math.max(top.ioMin, bottom.ioMin);
  top.ioOpt = leastCommon(top.ioOpt, bottom.ioOpt);
  if (top.ioMin % top.physicalBlockSize !== 0) {
    top.ioMin = top.physicalBlockSize;
    agree = false;
  }
  if (top.ioOpt % top.physicalBlockSize !== 0) {
    top.ioOpt = 0;
    agree = false;
  }
  const largest = Math.max(top.physicalBlockSize, top.ioMin);
  top.alignmentOffset = leastCommon(top.alignmentOffset, alignment) % largest;
  return agree && top.alignmentOffset % top.logicalBlockSize === 0;
}

/** lcm_not_zero() */
function leastCommon(a: number, b: number): number {
  if (a === 0 || b === 0) return a || b;
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

/** A target's own block, of `size` bytes, in place of a smaller one. */
export function raiseBlock(limits: Limits, size: number): void {
  limits.logicalBlockSize = Math.max(limits.logicalBlockSize, size);
  limits.physicalBlockSize = Math.max(limits.physicalBlockSize, size);
  limits.ioMin = Math.max(limits.ioMin, size);
}

/** A target whose chunks of `size` bytes go to `disks` disks in turn. */
export function askChunks(limits: Limits, size: number, disks: number): void {
  limits.ioMin = Math.max(size, limits.physicalBlockSize);
  limits.ioOpt = size * disks;
}

/** A target that works in blocks of `size` bytes, where what is below does not do so already. */
export function preferBlocks(limits: Limits, size: number, ioMin = size): void {
  if (limits.ioOpt !== 0 && limits.ioOpt % size === 0) return;
  limits.ioMin = Math.max(ioMin, limits.physicalBlockSize);
  limits.ioOpt = size;
}
