// The contract of the field report: every VU posts one assign, then sleeps 1 s. See k6/README.md.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Rate } from 'k6/metrics';
import { formatSummary, summarize } from './summary.ts';

const baseUrl = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');
const couponId = Number(__ENV.COUPON_ID || 123);
const knownUsersMax = 100;

const stages = [
  { duration: '1m', target: 100 },
  { duration: '2m', target: 500 },
  { duration: '3m', target: 1000 },
  { duration: '2m', target: 1000 },
  { duration: '1m', target: 500 },
  { duration: '30s', target: 0 },
];
const constantLoad =
  __ENV.VUS || __ENV.DURATION
    ? { vus: Number(__ENV.VUS || 1000), duration: __ENV.DURATION || '60s' }
    : undefined;

export const options = {
  ...(constantLoad ?? { stages }),
  thresholds: {
    http_req_failed: ['rate==0'],
    http_req_duration: ['p(95)<500'],
    checks: ['rate==1.0'],
  },
  batchPerHost: 20, // for setup
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)'],
};

// Of all requests: one that failed was not fast.
const under500ms = new Rate('under_500ms');

/**
 * VU and iteration number joined without a separator, as in the report: ids collide on purpose
 * (VU 1 iteration 11 is VU 11 iteration 1).
 */
function userOf(vu, iteration) {
  return `${vu}${iteration}`;
}

function requestOf(userId) {
  return {
    method: 'POST',
    url: `${baseUrl}/api/v1/coupons/assign`,
    body: JSON.stringify({ user_id: userId, coupon_id: couponId }),
    params: { headers: { 'Content-Type': 'application/json' }, tags: { name: 'assign' } },
  };
}

function judge(userId, response) {
  under500ms.add(response.status === 200 && response.timings.duration < 500);
  const answer = answerOf(response);
  check(response, {
    'status is 200': ({ status }) => status === 200,
    'not a problem': ({ headers }) =>
      !(headers['Content-Type'] ?? '').startsWith('application/problem+json'),
    'issuance_id is a UUIDv7': () => uuidV7.test(answer.issuance_id),
    'the answer is about this user and coupon': () =>
      answer.user_id === userId && answer.coupon_id === couponId,
  });
  return answer;
}

const uuidV7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

function answerOf(response) {
  try {
    return response.json() ?? {};
  } catch {
    return {}; // no body, or not JSON: the checks say so
  }
}

/**
 * Within one VU no id ever repeats, and VUs share no memory: so that repeats can be checked, the
 * users that the first VUs will ask for first (10, 20, … 1000) are asked for once before the load.
 * Their VUs repeat them at once, and VUs 1 to 9 collide with them (110, 120, … 990) while the load
 * goes on. Returns user id → issuance id.
 */
export function setup() {
  const vusMax = constantLoad?.vus ?? Math.max(...stages.map(({ target }) => target));
  const users = Array.from({ length: Math.min(vusMax, knownUsersMax) }, (_, i) => userOf(i + 1, 0));
  const responses = http.batch(users.map(requestOf));
  const unreachable = responses.find(({ status }) => status === 0);
  if (unreachable) {
    exec.test.abort(`No answer from ${baseUrl}: ${unreachable.error}`);
  }
  const issued = users.flatMap((userId, i) => {
    const answer = judge(userId, responses[i]);
    return responses[i].status === 200 ? [[userId, answer.issuance_id]] : [];
  });
  return Object.fromEntries(issued);
}

export default function contract(issuances) {
  const userId = userOf(__VU, __ITER);
  const { method, url, body, params } = requestOf(userId);
  const response = http.request(method, url, body, params);
  const answer = judge(userId, response);
  if (Object.hasOwn(issuances, userId)) {
    check(response, {
      'a repeat gets the same issuance': () => answer.issuance_id === issuances[userId],
      'a repeat says Idempotent-Replayed': ({ headers }) =>
        headers['Idempotent-Replayed'] === 'true',
    });
  }
  sleep(1);
}

export function handleSummary(data) {
  const summary = summarize(data);
  const outputs = { stdout: formatSummary(summary) };
  if (__ENV.SUMMARY) {
    const target = { base_url: baseUrl, coupon_id: couponId, load: constantLoad ?? { stages } };
    outputs[__ENV.SUMMARY] = `${JSON.stringify({ ...target, ...summary }, null, 2)}\n`;
  }
  return outputs;
}
