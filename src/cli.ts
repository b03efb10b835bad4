/** The terminal program: `devsquad` and a verb. */
import { main } from './node/main.ts';

process.exitCode = await main(process.argv.slice(2));
