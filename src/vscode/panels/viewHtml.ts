/** The whole of a webview's HTML: one script, one style sheet, nothing remote, and a policy that allows nothing else. */
export interface ViewFiles {
  readonly script: string;
  readonly style: string;
  /** What the style sheet and the icon font may be loaded from. */
  readonly source: string;
  /** Made anew for every page; only the script that carries it runs. */
  readonly nonce: string;
  /** Another one, which the page's script may read: the toolkit makes one empty style element to try what a browser can. */
  readonly styleNonce: string;
  readonly title: string;
}

export function viewHtml({ script, style, source, nonce, styleNonce, title }: ViewFiles): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source} 'nonce-${styleNonce}'`,
    `font-src ${source}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta property="csp-nonce" content="${styleNonce}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="${style}">
    <title>${title}</title>
  </head>
  <body>
    <div id="root"></div>
    <script type="module" nonce="${nonce}" src="${script}"></script>
  </body>
</html>`;
}
