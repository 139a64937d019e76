import { openApiDocument } from './openapi-document.ts';

// What `npm run openapi:generate` writes into docs/openapi.json.
process.stdout.write(`${JSON.stringify(await openApiDocument(), undefined, 2)}\n`);
