import { writeFileSync } from 'node:fs';
import { generateClient } from './client.ts';

for (const [file, text] of Object.entries(await generateClient())) {
  writeFileSync(file, text);
}
