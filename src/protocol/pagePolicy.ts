/** To be imported first of all in a page: its policy forbids to make code from text, which zod otherwise tries for speed. */
import * as z from 'zod';

z.config({ jitless: true });
