import type { Report } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { mainFile } from './build.ts';
import { changedFiles, loadedFiles } from './loaded-files.ts';
import type { LoadedFiles } from './loaded-files.ts';
import type { SupervisedApp } from './supervised-app.ts';

const filesNamedMax = 3;

/** Restarts one process when what it would load now is not what it has loaded. */
export class RestartOnChange {
  private loaded: LoadedFiles;
  private waiting = new AbortController();
  private restarts = Promise.resolve();

  /** `app` runs already, from what `dist` holds; `ended` says when to start nothing any more. */
  constructor(
    private readonly app: Pick<SupervisedApp, 'app' | 'restart' | 'ready'>,
    private readonly dist: string,
    private readonly report: Report,
    private readonly ended: AbortSignal,
  ) {
    this.loaded = this.wouldLoad();
  }

  /** To be called after each build. One during a restart is looked at after it. */
  built(): void {
    if (changedFiles(this.loaded, this.wouldLoad()).length > 0) {
      // What is starting now need not get ready any more, and perhaps never would.
      this.waiting.abort();
      this.restarts = this.restarts.then(() => this.restartIfChanged());
    }
  }

  private async restartIfChanged(): Promise<void> {
    const files = this.wouldLoad();
    const changed = changedFiles(this.loaded, files);
    if (changed.length === 0 || this.ended.aborted) {
      return;
    }
    this.loaded = files;
    this.waiting = new AbortController();
    const superseded = AbortSignal.any([this.waiting.signal, this.ended]);
    try {
      await this.report.step(
        `${named(changed)} changed, ${this.app.app.name} restarts`,
        async () => {
          await this.app.restart();
          await this.app.ready(superseded);
        },
      );
    } catch (error) {
      if (!superseded.aborted) this.report.line(messageOf(error));
    }
  }

  private wouldLoad(): LoadedFiles {
    return loadedFiles(this.dist, mainFile(this.app.app.kind, this.dist));
  }
}

function named(files: string[]): string {
  const more = files.length - filesNamedMax;
  return files.slice(0, filesNamedMax).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
