/** What a tool sees of the web. `WebReader` is the one of the hosts. */

export interface Web {
  /**
   * All addresses of a host, asked once. Rejects with a ToolRefusal where nobody knows it, and with the signal's reason.
   * An address in a URL is its own.
   */
  resolve(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * The text at an address of the web. Before each request, the first and every one that an answer leads on to, `addressOf`
   * says to which address it goes, or rejects. Rejects with a ToolRefusal that says what to do instead.
   */
  read(url: URL, addressOf: AddressOf, signal: AbortSignal): Promise<WebPage>;
}

export type AddressOf = (url: URL, signal: AbortSignal) => Promise<string>;

export interface WebPage {
  /** Where it was in the end. */
  readonly url: string;
  readonly isHtml: boolean;
  readonly text: string;
}
