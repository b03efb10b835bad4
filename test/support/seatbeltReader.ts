/**
 * Reads a command line of `sandbox-exec` and says what the rules of its profile come to: the last that fits decides. It knows
 * the words that are used in ours and throws on any other, on a parameter that is not there and on one that nobody uses.
 */
import assert from 'node:assert/strict';

type Expression = string | readonly Expression[];

interface Rule {
  readonly verdict: 'allow' | 'deny';
  readonly operations: readonly string[];
  readonly filters: readonly Expression[];
}

export class ReadProfile {
  readonly text: string;
  private readonly rules: readonly Rule[];
  private readonly parameters: ReadonlyMap<string, string>;

  constructor(text: string, parameters: ReadonlyMap<string, string>) {
    this.text = text;
    this.parameters = parameters;
    const [version, ...rules] = expressionsOf(text);
    assert.deepEqual(version, ['version', '1']);
    this.rules = rules.map(ruleOf);
    const used = new Set(Array.from(text.matchAll(/\(param "(\w+)"\)/g), ([, name]) => name));
    assert.deepEqual([...used].sort(), [...parameters.keys()].sort(), 'parameters that are named and given');
  }

  /** `kind`: what the vnode at the place is. */
  allows(operation: string, place: string, kind = 'REGULAR-FILE'): boolean {
    return this.decide(operation, (filter) => this.fits(filter, place, kind));
  }

  /** Whether a socket of the file system may be connected to. */
  allowsSocket(place: string): boolean {
    return this.decide('network-outbound', (filter) => this.fitsSocket(filter, place));
  }

  /** What rules that allow the operation by this very name are limited to; '' for one that is not. */
  filtersOf(operation: string): string[] {
    return this.rules
      .filter(({ verdict, operations }) => verdict === 'allow' && operations.includes(operation))
      .flatMap(({ filters }) => (filters.length === 0 ? [''] : filters.map(written)));
  }

  private decide(operation: string, fits: (filter: Expression) => boolean): boolean {
    const last = this.rules.findLast(
      ({ operations, filters }) =>
        operations.some((name) => covers(name, operation)) && (filters.length === 0 || filters.some(fits)),
    );
    return last?.verdict === 'allow';
  }

  private fits(filter: Expression, place: string, kind: string): boolean {
    assert.ok(Array.isArray(filter), `no filter: ${written(filter)}`);
    const [name, value] = filter as readonly Expression[];
    switch (name) {
      case 'subpath':
        return place === this.valueOf(value) || place.startsWith(`${this.valueOf(value)}/`);
      case 'literal':
        return place === this.valueOf(value);
      case 'regex':
        return new RegExp(stringOf(value)).test(place);
      case 'vnode-type':
        return value === kind;
      case 'local':
      case 'remote':
        return false;
      default:
        throw new Error(`Unknown filter ${written(filter)}`);
    }
  }

  private fitsSocket(filter: Expression, place: string): boolean {
    const [name, type, inner] = filter as readonly Expression[];
    return name === 'remote'
      ? type === 'unix-socket' && (inner === undefined || this.fits(inner, place, 'SOCKET'))
      : this.fits(filter, place, 'SOCKET');
  }

  private valueOf(value: Expression | undefined): string {
    if (typeof value !== 'object') {
      return stringOf(value);
    }
    const [word, name] = value;
    const known = this.parameters.get(stringOf(name)) ?? '';
    assert.ok(word === 'param' && known.startsWith('/'), `no place: ${written(value)}`);
    return known;
  }
}

/** Of `/usr/bin/sandbox-exec -p PROFILE -D NAME=VALUE … PROGRAM …`. */
export function readProfile([program, dashP, text = '', ...rest]: readonly string[]): ReadProfile {
  assert.deepEqual([program, dashP], ['/usr/bin/sandbox-exec', '-p']);
  const parameters = new Map<string, string>();
  for (let at = 0; rest[at] === '-D'; at += 2) {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(rest[at + 1] ?? '') ?? [];
    assert.ok(name !== '' && !parameters.has(name), rest[at + 1]);
    parameters.set(name, value);
  }
  return new ReadProfile(text, parameters);
}

function covers(name: string, operation: string): boolean {
  return name === 'default' || name === operation || (name.endsWith('*') && operation.startsWith(name.slice(0, -1)));
}

function ruleOf(expression: Expression): Rule {
  const [verdict, ...rest] = expression as readonly Expression[];
  assert.ok(verdict === 'allow' || verdict === 'deny', written(expression));
  const operations = rest.filter((each) => typeof each === 'string');
  assert.ok(operations.length > 0, written(expression));
  return { verdict, operations, filters: rest.filter((each) => typeof each !== 'string') };
}

/** Words, strings (with their quotes, as in `#"…"` too) and lists. */
function expressionsOf(text: string): Expression[] {
  const tokens = text.match(/#?"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g) ?? [];
  const stack: Expression[][] = [[]];
  for (const token of tokens) {
    if (token === '(') {
      stack.push([]);
    } else if (token === ')') {
      const list = stack.pop();
      assert.ok(list && stack.length > 0, 'a bracket too many');
      stack.at(-1)?.push(list);
    } else {
      stack.at(-1)?.push(token);
    }
  }
  assert.equal(stack.length, 1, 'a bracket is not closed');
  return stack[0] ?? [];
}

function stringOf(value: Expression | undefined): string {
  assert.ok(typeof value === 'string', 'no string');
  const [, inner] = /^#?"(.*)"$/s.exec(value) ?? [];
  assert.ok(inner !== undefined, value);
  return inner;
}

function written(expression: Expression): string {
  return typeof expression === 'string' ? expression : `(${expression.map(written).join(' ')})`;
}
