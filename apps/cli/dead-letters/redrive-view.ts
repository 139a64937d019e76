import type { RedriveOutcome } from '#admission/redrive.ts';
import type { AssignRequest } from '#coupon/issuance-request.ts';
import { failureCauses } from '#platform/failures/failure.ts';
import { toOneLine } from '../text.ts';

/** What became of one letter, as `--json` prints it. `is_redriven` is what the exit code is made of. */
export interface RedriveView {
  id: number;
  is_redriven: boolean;
  issuance_id: string | null;
  outcome: RedriveOutcome['kind'] | 'not_tried';
  /** Of one that was not admitted. */
  why?: NotAdmitted;
  detail: string;
}

type NotAdmitted = Extract<RedriveOutcome, { kind: 'not_admitted' }>['why'];

const whyNotAdmitted: Readonly<Record<NotAdmitted, string>> = {
  sold_out: 'nothing is left',
  closed: 'the coupon is closed',
  paused: 'the coupon is paused',
  not_open: 'the coupon has not opened yet',
  overloaded: 'the gate Redis did not take it in time',
  unavailable: 'Redis answers, and cannot write: /health/ready says why',
  recovering: 'the gate is being rebuilt, or Redis is away',
  absent: 'there is no such coupon, it is archived, or its gate is being rebuilt',
  unconfirmed: 'a unit is held, but Kafka or Redis did not confirm it',
};

export function toRedriveView(id: number, outcome: RedriveOutcome): RedriveView {
  const { kind } = outcome;
  const open = { id, outcome: kind, is_redriven: false, issuance_id: null };
  switch (kind) {
    case 'redriven': {
      const before = outcome.replayed ? ', who held it before' : '';
      const detail = `issued to ${describe(outcome.wanted)}${before}`;
      return { ...open, is_redriven: true, issuance_id: outcome.issuanceId, detail };
    }
    case 'redrivable':
      return { ...open, detail: `would be tried for ${describe(outcome.wanted)}` };
    case 'unreadable': {
      const reason = toOneLine(outcome.letter.reason, 200);
      return { ...open, detail: `left OPEN, no user and coupon can be read from it: ${reason}` };
    }
    case 'not_admitted': {
      const { why, failure, wanted } = outcome;
      const cause = failure === undefined ? '' : ` (${failureCauses[failure.cause]})`;
      const detail = `left OPEN, ${whyNotAdmitted[why]}${cause}: ${describe(wanted)}`;
      return { ...open, why, detail };
    }
    case 'settled': {
      const { state, issuanceId } = outcome.letter;
      const detail = `is ${state} already`;
      return { ...open, is_redriven: state === 'REDRIVEN', issuance_id: issuanceId, detail };
    }
    case 'missing':
      return { ...open, detail: 'there is no such dead letter' };
  }
}

/** One that was left alone because the log did not answer for the one before it. */
export function notTried(id: number): RedriveView {
  const detail = 'left OPEN, not tried: the log did not answer for the one before';
  return { id, outcome: 'not_tried', is_redriven: false, issuance_id: null, detail };
}

export function toRedriveLine(view: RedriveView): string {
  const issuance = view.issuance_id === null ? '' : `${view.issuance_id}  `;
  return `${view.id}  ${view.outcome}  ${issuance}${view.detail}\n`;
}

function describe({ couponId, userId }: AssignRequest): string {
  return `user ${JSON.stringify(userId)} of coupon ${couponId}`;
}
