import type { ReadStream, WriteStream } from 'node:tty';
import { columnsOfShell } from '#platform/config/config.ts';
import type { Canvas } from './screen.ts';

/** Where nobody says how wide it is, as in a pipe. */
const usualWidth = 100;

/** What this stream can show; NO_COLOR and TERM=dumb are heeded. */
export function canvasOf(stream: NodeJS.WriteStream): Canvas {
  const tty = stream as Partial<WriteStream>;
  return {
    width: tty.columns ?? columnsOfShell() ?? usualWidth,
    hasColours: tty.isTTY === true && tty.hasColors?.() === true,
  };
}

const quitting = ['q', 'Q', '\u0003'];
const enter = '\u001B[?1049h\u001B[?25l';
const leave = '\u001B[?25h\u001B[?1049l';
const home = '\u001B[H';
const clearLine = '\u001B[K';
const clearBelow = '\u001B[J';

/** The alternate screen of a terminal, which shows what was there before when it is left. */
export class FullScreen {
  private isEntered = false;
  private readonly leaveAtExit = (): void => this.leave();

  constructor(
    private readonly output: WriteStream,
    private readonly input: ReadStream | undefined,
    private readonly onQuit: () => void,
  ) {}

  enter(): void {
    this.isEntered = true;
    // However this process ends, short of a SIGKILL.
    process.on('exit', this.leaveAtExit);
    this.output.write(enter);
    this.input?.setRawMode(true);
    this.input?.on('data', this.heed);
    this.input?.resume();
  }

  draw(lines: string[]): void {
    this.output.write(
      `${home}${lines.map((line) => `${line}${clearLine}`).join('\r\n')}${clearBelow}`,
    );
  }

  leave(): void {
    if (this.isEntered) {
      this.isEntered = false;
      process.off('exit', this.leaveAtExit);
      this.input?.off('data', this.heed);
      this.input?.setRawMode(false);
      this.input?.pause();
      this.output.write(leave);
    }
  }

  /** Keys come one by one: Ctrl-C is one of them. */
  private readonly heed = (keys: Buffer): void => {
    if (quitting.some((key) => keys.includes(key))) {
      this.onQuit();
    }
  };
}
