/**
 * A web on this machine: names and addresses as a test says, and one server behind all of them. Nothing in it is special to
 * whoever reads from it: it is handed over where the hosts hand over the machine's own network.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Network } from '../../src/tools/fetchUrlReader.ts';
import { CERTIFICATE, KEY } from './webCertificate.ts';

/** By host and path, as in `docs.example/guide`. */
export type Pages = Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>>;

export class TestWeb implements Network {
  /** What each name is resolved to; where there are several answers, one after the other, and then the last for ever. */
  readonly names: Record<string, readonly (readonly string[])[]>;
  /** Requests as they came: address, host, path. */
  readonly asked: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  /** Names that were looked up. */
  readonly lookedUp: string[] = [];
  private readonly servers: readonly (http.Server | https.Server)[];
  private readonly connected: string[] = [];

  static async start(names: TestWeb['names'], pages: Pages): Promise<TestWeb> {
    const web: { now?: TestWeb } = {};
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      const place = `${request.headers.host ?? ''}${request.url ?? ''}`;
      web.now?.asked.push(`${web.now.connected.at(-1) ?? ''} ${place}`);
      web.now?.headers.push(request.headers);
      const page = pages[place];
      if (page) {
        page(response, request);
      } else {
        response.writeHead(404).end();
      }
    };
    const secure = https.createServer({ key: KEY, cert: CERTIFICATE }, answer);
    const servers = [http.createServer(answer), secure] as const;
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.listen(0, '127.0.0.1', resolve);
          }),
      ),
    );
    web.now = new TestWeb(names, servers);
    return web.now;
  }

  private constructor(names: TestWeb['names'], servers: readonly (http.Server | https.Server)[]) {
    this.names = { ...names };
    this.servers = servers;
  }

  resolve(host: string): Promise<readonly string[]> {
    this.lookedUp.push(host);
    const [first, ...later] = this.names[host] ?? [];
    if (!first) {
      return Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }));
    }
    this.names[host] = later.length > 0 ? later : [first];
    return Promise.resolve(first);
  }

  placeOf(address: string, port: number): { host: string; port: number } {
    this.connected.push(address);
    const { port: ours } = this.servers[port === 443 ? 1 : 0]?.address() as AddressInfo;
    return { host: '127.0.0.1', port: ours };
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
    }
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

export const page =
  (text: string, type = 'text/html; charset=utf-8') =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': type }).end(text);
  };

export const leadTo =
  (location: string) =>
  (response: ServerResponse): void => {
    response.writeHead(302, { location }).end();
  };
