import type { ApiResponseNoStatusOptions } from '@nestjs/swagger';

type Headers = NonNullable<ApiResponseNoStatusOptions['headers']>;

/** Headers of the answers to an assign, as documented. */

export const whenToAsk: Headers = {
  'Poll-After-Ms': {
    description:
      'When to ask at `status_url`, in milliseconds from now; not of what may be decided, as that of a repeat.',
    schema: { type: 'integer', minimum: 0 },
  },
  'Retry-After': {
    description: 'With `Prefer`, while it is ACCEPTED: the same in whole seconds.',
    schema: { type: 'integer', minimum: 1 },
  },
};

export const answeredBefore: Headers = {
  'Idempotent-Replayed': {
    description: 'true, when this user had been answered with this issuance before.',
    schema: { type: 'string', enum: ['true'] },
  },
};

export const preferenceApplied: Headers = {
  'Preference-Applied': {
    description: 'What of `Prefer` was applied.',
    schema: { type: 'string' },
  },
};

/** Of 202, which nobody gets who did not ask for it. */
export const ofAsync: Headers = {
  ...whenToAsk,
  'Retry-After': { ...whenToAsk['Retry-After']!, required: true },
  ...answeredBefore,
  'Preference-Applied': { ...preferenceApplied['Preference-Applied']!, required: true },
  Location: {
    description: 'Where to ask for its status.',
    required: true,
    schema: { type: 'string' },
  },
};
