/** Hosts of the web that agents may read from without a question, as a person writes them down. */
import * as z from 'zod';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/** A name such as `docs.example.com`, or `*.example.com` for every name below it. A name alone, no address and no path. */
export const hostEntrySchema = z
  .string()
  .max(253)
  .regex(
    new RegExp(String.raw`^(?:\*\.)?(?:${LABEL}\.)+(?=[a-z0-9-]*[a-z])${LABEL}$`),
    'write a name such as docs.example.com, or *.example.com for every name below it',
  );
export const allowedHostsSchema = z.array(hostEntrySchema).max(500);
