import type { RecordHeader } from '#coupon/dead-letter.ts';
import { textOf } from '#coupon/dead-letter.ts';
import type { DeadLetterEntry, KeptDeadLetter } from '#ledger/dead-letters/dead-letter-ledger.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { alignColumns, toOneLine } from '../text.ts';

/** Bytes as `--json` prints them: as text where that is printable. */
type BytesView = { bytes: number } & ({ text: string } | { hex: string });

const shownLengthMax = 4_000;

/** A dead letter of a list, as `--json` prints it. */
export function toEntryView(entry: DeadLetterEntry) {
  return {
    id: entry.id,
    state: entry.state,
    topic: entry.topic,
    partition: entry.partition,
    offset: entry.offset,
    recorded_at: toIsoTime(entry.recordedAt),
    found_at: toIsoTime(entry.foundAt),
    trace_id: entry.traceId,
    reason: entry.reason,
    settled_at: toIsoTime(entry.settledAt),
    settled_reason: entry.settledReason,
    issuance_id: entry.issuanceId,
  };
}

/** One dead letter with its bytes and headers, as `--json` prints it. */
export function toLetterView(letter: KeptDeadLetter) {
  return {
    ...toEntryView(letter),
    headers: letter.headers.map(toHeaderView),
    key: toBytesView(letter.key),
    value: toBytesView(letter.value),
  };
}

/** A line a letter under a header. */
export function toEntryTable(entries: DeadLetterEntry[]): string {
  return alignColumns([
    ['id', 'state', 'found_at', 'partition/offset', 'reason'],
    ...entries.map((entry) => [
      String(entry.id),
      entry.state,
      toIsoTime(entry.foundAt),
      `${entry.partition}/${entry.offset}`,
      toOneLine(entry.reason, 80),
    ]),
  ]);
}

/** One letter in full but for very long bytes, which `--json` has whole. */
export function toLetterText(letter: KeptDeadLetter): string {
  const { key, value, headers, reason, ...rest } = toLetterView(letter);
  const known = Object.entries(rest).filter(([, field]) => field !== null);
  const lines = [
    ...known.map(([name, field]) => [name, String(field)]),
    ['reason', reason.replaceAll('\n', '\n  ')],
    ...headers.map((header) => [
      'header',
      `${toOneLine(header.name, 200)}: ${
        'text' in header ? toOneLine(header.text, shownLengthMax) : shorten(header.hex)
      }`,
    ]),
    ['key', describe(key)],
    ['value', describe(value)],
  ];
  return lines.map(([name, text]) => `${name}: ${text}\n`).join('');
}

function describe(view: BytesView | null): string {
  if (view === null) {
    return 'none';
  }
  const kind = 'text' in view ? 'text' : 'hexadecimal';
  const text = shorten('text' in view ? view.text : view.hex);
  // Indented, so that no line of it passes for one of ours.
  return `${view.bytes} bytes, ${kind}\n  ${text.replaceAll('\n', '\n  ')}`;
}

function shorten(text: string): string {
  const rest = text.length - shownLengthMax;
  return rest > 0 ? `${text.slice(0, shownLengthMax)}… and ${rest} characters more (--json)` : text;
}

function toBytesView(bytes: Buffer | null): BytesView | null {
  if (bytes === null) {
    return null;
  }
  const text = textOf(bytes);
  return text !== undefined && isPrintable(text)
    ? { bytes: bytes.length, text }
    : { bytes: bytes.length, hex: bytes.toString('hex') };
}

function toHeaderView(header: RecordHeader): RecordHeader {
  return 'hex' in header || isPrintable(header.text)
    ? header
    : { name: header.name, hex: Buffer.from(header.text).toString('hex') };
}

/** Control characters could forge lines on a terminal, or run it. */
function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text.replaceAll(/[\n\t]/g, ''));
}
