import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { CouponState } from '#coupon/coupon.ts';
import { couponIdSchema, issuanceIdSchema } from '#coupon/issuance.ts';

/**
 * When it began and ended, in milliseconds of one monotonic clock of whoever wrote the journal. Without
 * a call it may have begun at any time; without a return it may still be under way.
 */
const times = { called_ms: z.number().optional(), returned_ms: z.number().optional() };

/** What a client asked, and was told: `http_status` is 0 when no answer came. */
const answerSchema = z.object({
  ...times,
  http_status: z.int(),
  issuance_id: issuanceIdSchema.optional(),
  coupon_id: couponIdSchema.optional(),
  user_id: z.string().optional(),
  code: z.string().optional(),
});

const states = ['open', 'paused', 'closed'] as const satisfies CouponState[];

/** What a manager made of a coupon; its creation is the first of its changes. */
const changeSchema = z.object({
  ...times,
  http_status: z.undefined().optional(),
  coupon_id: couponIdSchema,
  change: z.object({ total: z.int().nonnegative().optional(), state: z.enum(states).optional() }),
});

export type JournalAnswer = z.output<typeof answerSchema> & { line: number };
export type JournalChange = z.output<typeof changeSchema> & { line: number };
export type JournalLine = JournalAnswer | JournalChange;

export function isChange(line: JournalLine): line is JournalChange {
  return 'change' in line;
}

/** Reads a journal (NDJSON) line by line; tells `onOther` of each that is none of its lines. */
export async function* readJournal(
  file: string,
  onOther: (line: number, text: string) => void = () => {},
): AsyncGenerator<JournalLine> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file) })) {
    line += 1;
    if (text.trim() !== '') {
      const parsed = parse(text);
      if (parsed === undefined) {
        onOther(line, text);
      } else {
        yield { ...parsed, line };
      }
    }
  }
}

const lineSchema = z.union([changeSchema, answerSchema]);

function parse(text: string): z.output<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
