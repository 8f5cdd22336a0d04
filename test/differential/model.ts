// The world of a model kernel.

import { ModelKernel, type ModelSnapshot } from 'devicemapper/model';
import { perform, type Answer, type Sequence, type World } from './script.js';
import { DISKS, MAJOR } from './tables.js';

type Release = ModelKernel['release'];

/** What a guest of this name runs: 7.x is whatever Debian's sid has. */
export function releaseOf(kernel: string): Release {
  return kernel === '7.x' ? '7.2' : (kernel as Release);
}

export function modelWorld(kernel: string): World {
  const release = releaseOf(kernel);
  const model = new ModelKernel({ release, major: MAJOR, blockDevices: DISKS });
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
      clean ??= model.snapshot();
      model.restore(clean);
    },
  };
}

/** What a new model answers to each sequence, the first of which loads the modules. */
export function modelAnswers(sequences: readonly Sequence[], kernel: string): Answer[][] {
  const world = modelWorld(kernel);
  return sequences.map((sequence) => [...perform(world, sequence)]);
}
