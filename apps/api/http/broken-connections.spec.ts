import { expect, it } from 'vitest';
import { connectionProblem } from './broken-connections.ts';

it('says that a request may be sent again which was late, not that it was wrong', () => {
  expect(connectionProblem({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }).code).toBe('OVERLOADED');
  expect(connectionProblem({ code: 'HPE_INVALID_METHOD' }).code).toBe('INVALID_REQUEST');
});
