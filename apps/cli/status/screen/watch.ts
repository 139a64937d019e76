import type { Config } from '#platform/config/config.ts';
import { printable } from '#platform/text/printable.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import type { Look } from '../look/look.ts';
import { look } from '../look/look.ts';
import { screenOf } from './screen.ts';
import { openStatusStores } from '../look/status-stores.ts';
import { toStatusView } from '../status-view.ts';
import type { SystemStatus } from '../system-status.ts';
import { statusOf } from '../status.ts';
import { canvasOf, FullScreen } from './terminal.ts';
import { lineOf } from './words.ts';

const everyMs = 1_000;
/** Rates are those of so many looks: one alone jumps. */
const looksForRates = 4;

/** Shows the status again each second until `q` or Ctrl-C, or until nobody reads it any more. */
export async function watch(config: Config, { json }: { json?: true }): Promise<void> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.stdout.once('error', end);
  const view = openView(json === true, end);
  const stores = openStatusStores(config);
  const looks: Look[] = [];
  const ended = aborted(ending.signal);
  try {
    while (!ending.signal.aborted) {
      const startedAt = performance.now();
      const latest = await Promise.race([look(stores, config), ended]);
      if (latest === undefined) {
        break;
      }
      looks.push(latest);
      looks.splice(0, looks.length - looksForRates);
      view.show(statusOf(looks.length > 1 ? looks[0] : undefined, latest));
      await pauseFor(everyMs - (performance.now() - startedAt), ending.signal);
    }
  } finally {
    view.close();
    await stores.close();
  }
}

interface View {
  show(status: SystemStatus): void;
  close(): void;
}

function openView(asJson: boolean, end: () => void): View {
  const { stdout, stdin } = process;
  if (asJson || !stdout.isTTY) {
    const toText = (status: SystemStatus): string =>
      asJson ? JSON.stringify(toStatusView(status)) : lineOf(status);
    return {
      show: (status) => void stdout.write(`${printable(toText(status))}\n`),
      close: () => {},
    };
  }
  const screen = new FullScreen(stdout, stdin.isTTY ? stdin : undefined, end);
  let latest: SystemStatus | undefined;
  const draw = (): void => {
    if (latest !== undefined) {
      const canvas = { ...canvasOf(stdout), height: stdout.rows };
      screen.draw(screenOf(latest, canvas));
    }
  };
  stdout.on('resize', draw);
  screen.enter();
  return {
    show: (status) => {
      latest = status;
      draw();
    },
    close: () => {
      stdout.off('resize', draw);
      screen.leave();
    },
  };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
