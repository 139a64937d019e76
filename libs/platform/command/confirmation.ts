import { createInterface } from 'node:readline';

/**
 * Asks the person at the terminal; everything but yes means no. `undefined` where there is nobody to
 * ask. Ctrl-C ends the process, as it does without a question.
 */
export async function confirmed(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    return undefined;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    // Ctrl-D: no answer is no.
    terminal.once('close', () => resolve(false));
    terminal.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      terminal.close();
    });
  });
}
