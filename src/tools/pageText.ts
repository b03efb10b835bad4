/**
 * The readable text of a page of HTML: headings, paragraphs, lists, code and where links lead, without scripts, styles and
 * markup. One pass over the text, whatever stands in it.
 */

/** Elements whose content nobody reads, or that is no text. */
const LEFT_OUT = new Set(['script', 'style', 'template', 'svg', 'iframe', 'object', 'noframes']);
const BLOCKS = new Set([
  ...[
    'address',
    'article',
    'aside',
    'blockquote',
    'br',
    'dd',
    'div',
    'dl',
    'dt',
    'fieldset',
    'figcaption',
    'figure',
    'footer',
  ],
  ...[
    'form',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'header',
    'hr',
    'li',
    'main',
    'nav',
    'ol',
    'p',
    'pre',
    'section',
    'table',
  ],
  ...['tbody', 'thead', 'title', 'tr', 'ul', 'option', 'summary', 'details', 'head', 'body', 'html'],
]);
const MARKS: Readonly<Record<string, string>> = {
  ...{ li: '- ', h1: '# ', h2: '## ', h3: '### ', h4: '#### ', h5: '##### ', h6: '###### ', td: ' ', th: ' ' },
};
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '©', reg: '®', hellip: '…', mdash: '—' },
  ...{ ndash: '–', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bull: '•', middot: '·', times: '×', rarr: '→' },
};

/** `base`: the address of the page, from which its links lead on. */
export function pageText(html: string, base: string): string {
  const page = new Page(base);
  for (let at = 0; at < html.length;) {
    const open = html.indexOf('<', at);
    page.text(html.slice(at, open < 0 ? html.length : open));
    if (open < 0) {
      break;
    }
    if (html.startsWith('<!--', open)) {
      at = after(html, '-->', open + 4);
    } else if (/^<[a-z!?/]/i.test(html.slice(open, open + 2))) {
      const end = endOfTag(html, open);
      const tag = html.slice(open + 1, end - 1);
      const name = /^\/?[a-z][a-z0-9-]{0,40}/i.exec(tag)?.[0].toLowerCase() ?? '';
      at = LEFT_OUT.has(name) && !tag.endsWith('/') ? closing(html, name, end) : end;
      page.tag(name, tag);
    } else {
      page.text('<');
      at = open + 1;
    }
  }
  return page.toString();
}

class Page {
  private readonly base: string;
  private readonly parts: string[] = [];
  private readonly links: string[] = [];
  private preformatted = 0;

  constructor(base: string) {
    this.base = base;
  }

  text(raw: string): void {
    const text = raw.replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{2,8});/gi, decodeEntity);
    this.parts.push(this.preformatted > 0 ? text : text.replace(/[ \t\r\n\f]+/g, ' '));
  }

  tag(name: string, tag: string): void {
    if (name === 'pre' || name === '/pre') {
      this.preformatted = Math.max(0, this.preformatted + (name === 'pre' ? 1 : -1));
    }
    if (name === 'a') {
      this.links.push(/\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag)?.slice(1).find(Boolean) ?? '');
    } else if (name === '/a') {
      const target = this.leadsTo(this.links.pop() ?? '');
      this.parts.push(target === undefined ? '' : ` (${target})`);
    }
    const plain = name.replace('/', '');
    if (BLOCKS.has(plain)) {
      this.parts.push('\n');
    }
    if (name === plain) {
      this.parts.push(MARKS[name] ?? '');
    }
  }

  toString(): string {
    return this.parts
      .join('')
      .split('\n')
      .map((line) => line.trimEnd().replace(/^ (?=\S)/, ''))
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
  }

  /** To another page of the web; places in this one and everything else are left out. */
  private leadsTo(href: string): string | undefined {
    const target = href.replace(/&amp;/g, '&').trim();
    if (target === '' || target.startsWith('#') || !URL.canParse(target, this.base)) {
      return undefined;
    }
    const url = new URL(target, this.base);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
  }
}

/** Behind the `>` that ends the tag: not one in quotes. */
function endOfTag(html: string, open: number): number {
  let quote = '';
  for (let at = open + 1; at < html.length; at++) {
    const character = html[at] ?? '';
    if (quote !== '') {
      quote = character === quote ? '' : quote;
    } else if (character === '>') {
      return at + 1;
    } else if ((character === '"' || character === "'") && html[at - 1] === '=') {
      quote = character;
    }
  }
  return html.length + 1;
}

function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from);
  return found < 0 ? html.length : found + mark.length;
}

/** Where an element whose content is left out ends. */
function closing(html: string, name: string, from: number): number {
  const close = new RegExp(`</${name}[\\s/>]`, 'gi');
  close.lastIndex = from;
  const found = close.exec(html);
  return found ? endOfTag(html, found.index) : html.length;
}

function decodeEntity(whole: string, name: string): string {
  const code = /^#x/i.test(name)
    ? parseInt(name.slice(2), 16)
    : name.startsWith('#')
      ? Number(name.slice(1))
      : undefined;
  if (code === undefined) {
    return ENTITIES[name] ?? whole;
  }
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : '\ufffd';
}
