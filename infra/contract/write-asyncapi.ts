import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { asyncApiDocument } from './asyncapi.ts';

writeFileSync(
  'docs/asyncapi.yaml',
  stringify(asyncApiDocument(), { aliasDuplicateObjects: false }),
);
