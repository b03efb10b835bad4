import { ToolRefusal } from '../../src/domain/errors.ts';
import type { Servers } from '../../src/tools/servers.ts';
import type { Web } from '../../src/tools/web.ts';

/** Where a test does not care for the web, nobody in it reaches any. */
export const noWeb: Web = {
  resolve: (host) => Promise.reject(new ToolRefusal(`Nobody knows the host ${host}.`)),
  read: () => Promise.reject(new ToolRefusal('There is no web here.')),
};

export const noServers: Servers = {
  list: () => Promise.reject(new ToolRefusal('There are no servers here.')),
  listed: () => undefined,
  call: () => Promise.reject(new ToolRefusal('There are no servers here.')),
};
