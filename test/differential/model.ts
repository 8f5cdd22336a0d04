// The world of a model kernel.

import { ModelKernel, type ModelSnapshot } from 'devicemapper/model';
import { perform, type Answer, type Sequence, type World } from './script.js';
import { DISKS, MAJOR } from './tables.js';

type Release = ModelKernel['release'];

/** Before Linux 6.12 a '128', as a block size that slips to where a device is named, is one in hexadecimal: 1:40. */
const RAM = { '/dev/ram40': { sectors: 32768, dev: '1:40' } };

/** What a guest of this name runs: 7.x is whatever Debian's sid has. */
export function releaseOf(kernel: string): Release {
  return kernel === '7.x' ? '7.2' : (kernel as Release);
}

export function modelWorld(kernel: string): World {
  const release = releaseOf(kernel);
  const blockDevices = release === '5.10' || release === '6.1' ? { ...DISKS, ...RAM } : DISKS;
  const model = new ModelKernel({ release, major: MAJOR, blockDevices });
  let clean: ModelSnapshot | undefined;
  return {
    transport: model,
    open(path) {
      try {
        const holder = model.open(path);
        return () => {
          holder.close();
        };
      } catch {
        return undefined;
      }
    },
    log: () => model.kernelLog(),
    mark: () => undefined,
    settle: () => undefined,
    // As it was behind the sequence that loads all modules; of a guest, these stay loaded, too.
    wipe() {
      if (clean === undefined) {
        for (const path of Object.keys(DISKS)) model.wipe(path);
        clean = model.snapshot();
      }
      model.restore(clean);
    },
  };
}

/** What a new model answers to each sequence, the first of which loads the modules. */
export function modelAnswers(sequences: readonly Sequence[], kernel: string): Answer[][] {
  const world = modelWorld(kernel);
  return sequences.map((sequence) => [...perform(world, sequence)]);
}
