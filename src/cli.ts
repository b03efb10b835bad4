/** The terminal program: `devsquad run`, `resume`, `status`, `inbox`, `answer`, `stop`. */
import { main } from './node/main.ts';

process.exitCode = await main(process.argv.slice(2));
