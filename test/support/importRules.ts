import { builtinModules } from 'node:module';
import path from 'node:path';
import ts from 'typescript';

/** What the files of one rung may import. A rung is a folder of `src`, a file that stands directly in it, or `webview`. */
export interface Rung {
  readonly name: string;
  /** Names of rungs; its own files it may always import. */
  readonly imports: readonly string[];
  /** Packages, or package and the part of the path that an importing file must have. */
  readonly packages?: readonly Allowance[];
  /** Built-in modules of Node, without `node:`. */
  readonly builtins?: readonly Allowance[] | 'any';
}

export type Allowance = string | { readonly name: string; readonly onlyIn: string };

interface Import {
  readonly specifier: string | undefined;
  /** The project file it leads to, for relative imports. */
  readonly file: string | undefined;
}

/**
 * One sentence per breach. `files` maps paths relative to the project folder, with forward slashes, to their text; imports
 * of types count like all others.
 */
export function breaches(files: ReadonlyMap<string, string>, ladder: readonly Rung[]): readonly string[] {
  const imports = new Map([...files].map(([file, text]) => [file, importsOf(file, text)]));
  return [
    ...[...imports].flatMap(([file, found]) => found.flatMap((each) => importBreach(file, each, ladder) ?? [])),
    ...mutualFolders(imports),
    ...cycles(imports),
  ];
}

function importBreach(file: string, { specifier, file: target }: Import, ladder: readonly Rung[]): string | undefined {
  const name = rungOf(file);
  const rung = ladder.find((candidate) => candidate.name === name);
  if (!rung) {
    return `${file}: ${name} has no row in the ladder`;
  }
  if (specifier === undefined) {
    return `${file}: imports a computed name, which nobody can check`;
  }
  if (target !== undefined) {
    const other = rungOf(target);
    return other === name || rung.imports.includes(other)
      ? undefined
      : `${file}: imports ${specifier}, but ${name} may import only ${list(rung.imports)}`;
  }
  const bare = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || builtinModules.includes(bare)) {
    return rung.builtins === 'any' || isAllowed(bare.split('/')[0] ?? '', file, rung.builtins)
      ? undefined
      : `${file}: imports ${specifier}, but ${name} may use of Node only ${list(rung.builtins)}`;
  }
  return isAllowed(packageOf(specifier), file, rung.packages)
    ? undefined
    : `${file}: imports ${specifier}, but ${name} may use only the packages ${list(rung.packages)}`;
}

function isAllowed(name: string, file: string, allowances: readonly Allowance[] = []): boolean {
  return allowances.some((allowance) =>
    typeof allowance === 'string' ? allowance === name : allowance.name === name && file.includes(allowance.onlyIn),
  );
}

function list(allowances: readonly Allowance[] = []): string {
  const names = allowances.map((each) => (typeof each === 'string' ? each : `${each.name} (in ${each.onlyIn})`));
  return names.join(', ') || 'nothing';
}

function mutualFolders(imports: ReadonlyMap<string, readonly Import[]>): readonly string[] {
  const pairs = new Map<string, string>();
  for (const [file, found] of imports) {
    for (const { file: target } of found) {
      if (target !== undefined && rungOf(target) !== rungOf(file)) {
        pairs.set(`${rungOf(file)} ${rungOf(target)}`, file);
      }
    }
  }
  return [...pairs].flatMap(([pair, file]) => {
    const [one = '', other = ''] = pair.split(' ');
    const back = pairs.get(`${other} ${one}`);
    return back && one < other ? [`${one} and ${other} import each other, in ${file} and ${back}`] : [];
  });
}

function cycles(imports: ReadonlyMap<string, readonly Import[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push(`import cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
    } else if (!done.has(file)) {
      for (const { file: target } of imports.get(file) ?? []) {
        if (target !== undefined) {
          visit(target, [...trail, file]);
        }
      }
      done.add(file);
    }
  };
  for (const file of imports.keys()) {
    visit(file, []);
  }
  return found;
}

/** All ways in which a module names another: import, export from, import(), require() and types by import(). */
function importsOf(file: string, text: string): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined): void => {
    const name = specifier && ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
    found.push({
      specifier: name,
      file: name?.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : undefined,
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || (ts.isExportDeclaration(node) && node.moduleSpecifier)) {
      add(node.moduleSpecifier);
    } else if (ts.isExternalModuleReference(node)) {
      add(node.expression);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    } else if (ts.isCallExpression(node) && isImportFunction(node.expression)) {
      add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

function isImportFunction(node: ts.Expression): boolean {
  return node.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(node) && node.text === 'require');
}

function rungOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'src' ? second.replace(/\.tsx?$/, '') : top;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
