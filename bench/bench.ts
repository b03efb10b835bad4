// `npm run bench -- NAME`: one benchmark, a table on standard output. Timings are the machine's; compare within one table.
import { existsSync } from 'node:fs';
import path from 'node:path';

const [name = ''] = process.argv.slice(2);
const file = path.join(import.meta.dirname, `${name}.ts`);
if (!/^[a-z]+$/.test(name) || name === 'bench' || !existsSync(file)) {
  console.error('Say which: npm run bench -- mail | recovery | stall | judge | start | size');
  process.exit(2);
}
const { run } = (await import(file)) as { run: () => Promise<void> };
await run();
process.exit(0);
