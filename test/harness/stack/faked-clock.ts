import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { ensurePrograms } from '../../../infra/local/servers/install.ts';
import { silent } from '../../../infra/local/terminal/progress.ts';

const program = { binaries: ['faketime'], apt: ['faketime'], brew: 'libfaketime' };

/** The clock of a single process put wrong, by libfaketime (Debian package `faketime`). */
export class FakedClock {
  private constructor(
    private readonly library: string | undefined,
    private readonly reason: string,
  ) {}

  /** Installs it where that is possible. */
  static async find(): Promise<FakedClock> {
    if (process.platform !== 'linux') {
      return new FakedClock(undefined, `libfaketime is not preloaded on ${process.platform}`);
    }
    try {
      await ensurePrograms([program], silent);
    } catch (error) {
      return new FakedClock(undefined, `faketime is not here: ${(error as Error).message}`);
    }
    return new FakedClock(findLibrary(), 'faketime is here, but not its libfaketime.so.1');
  }

  /** Skips a test, and says why, where there is no libfaketime. */
  require({ skip }: TestContext): void {
    skip(this.library === undefined, this.reason);
  }

  /** The environment of a process whose clock is off, such as by '+1h' or '-1h'. */
  env(offset: string): Record<string, string> {
    return {
      LD_PRELOAD: this.library!,
      FAKETIME: offset,
      // Timers go by the monotonic clock, which no administrator sets.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }
}

function findLibrary(): string | undefined {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter((path) => existsSync(path));
  return folders
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))])
    .map((folder) => join(folder, 'faketime', 'libfaketime.so.1'))
    .find((path) => existsSync(path));
}
