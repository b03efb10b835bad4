import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import * as z from 'zod';
import { projectFolder } from '../../scripts/project.ts';
import { DEFAULT_LIMITS, limitsSchema } from '../../src/domain/limits.ts';

interface Contributions {
  readonly commands?: readonly { readonly command: string; readonly title: string; readonly category?: string }[];
  readonly viewsContainers?: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
  readonly views?: Readonly<Record<string, readonly { readonly id: string; readonly name: string }[]>>;
  readonly viewsWelcome?: readonly { readonly view: string; readonly contents: string }[];
  readonly menus?: Readonly<Record<string, readonly { readonly command?: string; readonly submenu?: string }[]>>;
  readonly submenus?: readonly { readonly id: string }[];
  readonly keybindings?: readonly { readonly command: string }[];
  readonly configuration?: Configuration | readonly Configuration[];
}

interface Setting {
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly scope?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Setting>>;
  readonly additionalProperties?: boolean;
}

interface Configuration {
  readonly properties?: Readonly<Record<string, Setting>>;
}

interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly engines: { readonly vscode: string };
  readonly activationEvents: readonly string[];
  readonly contributes: Contributions;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly enabledApiProposals?: readonly string[];
}

/** The menus of VS Code's stable API that we may use. A served VS Code takes proposed ones, too; the Marketplace does not. */
const stableMenus = new Set([
  ...['commandPalette', 'view/title', 'view/item/context', 'webview/context', 'file/newFile'],
  ...['editor/title', 'editor/title/context', 'editor/title/run', 'editor/context', 'editor/lineNumber/context'],
  ...['explorer/context', 'terminal/context', 'terminal/title/context', 'timeline/item/context', 'extension/context'],
  ...['scm/title', 'scm/resourceGroup/context', 'scm/resourceFolder/context', 'scm/resourceState/context'],
  ...['testing/item/context', 'testing/item/gutter', 'testing/message/context'],
  ...['comments/commentThread/title', 'comments/commentThread/context', 'comments/comment/title'],
]);

// Our own manifest: what is not as written here, the compiler of the tests below cannot know, and VS Code would say.
const manifest = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8')) as Manifest;
const { contributes } = manifest;
const views = Object.values(contributes.views ?? {}).flat();

describe('the manifest', () => {
  it('offers no command twice and none that the code does not register', () => {
    const offered = (contributes.commands ?? []).map(({ command }) => command);
    assert.equal(new Set(offered).size, offered.length);
    const registered = registeredCommands();
    assert.deepEqual(
      offered.filter((command) => !registered.has(command)),
      [],
      'not in the command map of src/vscode/commands.ts',
    );
  });

  it('names in menus and keys only commands and submenus that it offers', () => {
    const offered = new Set((contributes.commands ?? []).map(({ command }) => command));
    const submenus = new Set((contributes.submenus ?? []).map(({ id }) => id));
    const items = Object.values(contributes.menus ?? {}).flat();
    const used = [...items, ...(contributes.keybindings ?? [])].flatMap(({ command }) => command ?? []);
    assert.deepEqual(
      used.filter((command) => !offered.has(command)),
      [],
    );
    assert.deepEqual(
      items.flatMap(({ submenu }) => submenu ?? []).filter((id) => !submenus.has(id)),
      [],
    );
  });

  it('uses only menus of the stable API', () => {
    const own = (contributes.submenus ?? []).map(({ id }) => id);
    const others = Object.keys(contributes.menus ?? {}).filter((menu) => !stableMenus.has(menu) && !own.includes(menu));
    assert.deepEqual(others, []);
    assert.equal(manifest.enabledApiProposals, undefined);
  });

  it('puts every view into our container and shows welcome texts only in our views', () => {
    const containers = Object.values(contributes.viewsContainers ?? {}).flat();
    assert.deepEqual(
      containers.map(({ id }) => id),
      ['devsquad'],
    );
    assert.deepEqual(Object.keys(contributes.views ?? {}), ['devsquad']);
    const ids = views.map(({ id }) => id);
    assert.ok(ids.every((id) => id.startsWith('devsquad.')));
    assert.deepEqual(
      (contributes.viewsWelcome ?? []).filter(({ view }) => !ids.includes(view)),
      [],
    );
  });

  it('has code for every view', () => {
    const code = textOf('src/vscode');
    assert.deepEqual(
      views.filter(({ id }) => !code.includes(`'${id}'`)),
      [],
      'not named in src/vscode',
    );
  });

  it('activates after the start and on nothing that VS Code adds by itself', () => {
    const needless = /^on(Command|View|LanguageModelTool|ChatParticipant|CustomEditor|AuthenticationRequest):/;
    assert.ok(manifest.activationEvents.includes('onStartupFinished'));
    assert.ok(manifest.activationEvents.includes('onUri'), 'a link may be what opens the window');
    assert.deepEqual(
      manifest.activationEvents.filter((event) => event === '*' || needless.test(event)),
      [],
    );
  });

  it('describes every setting, and all are ours', () => {
    const sections = [contributes.configuration ?? []].flat();
    for (const [name, setting] of sections.flatMap(({ properties }) => Object.entries(properties ?? {}))) {
      assert.match(name, /^devsquad\./);
      assert.ok(setting.description ?? setting.markdownDescription, `${name} has no description`);
    }
  });

  it('lets no workspace change a setting', () => {
    const sections = [contributes.configuration ?? []].flat();
    const loose = sections.flatMap(({ properties }) =>
      Object.entries(properties ?? {}).filter(([, { scope }]) => scope !== 'application'),
    );
    assert.deepEqual(loose, []);
  });

  it('offers the limits of agents and runs as they are checked, each described, with the defaults that hold', () => {
    const limits = [contributes.configuration ?? []].flat()[0]?.properties?.['devsquad.limits'];
    assert.deepEqual(limits?.default, DEFAULT_LIMITS);
    assert.equal(limits.additionalProperties, false);
    const described = Object.entries(limits.properties ?? {}).map(([name, { description, ...rest }]) => {
      assert.ok(description, `${name} has no description`);
      return [name, rest];
    });
    const checked = Object.entries(limitsSchema.shape).map(([name, schema]) => [name, numberRule(schema)]);
    assert.deepEqual(Object.fromEntries(described), Object.fromEntries(checked));
  });

  it('promises the VS Code whose API we compile against', () => {
    assert.equal(manifest.engines.vscode, `^${manifest.devDependencies['@types/vscode'] ?? ''}`);
  });

  it('pins every package exactly and leaves none to be installed by users', () => {
    const loose = Object.entries(manifest.devDependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    assert.deepEqual(loose, []);
    assert.deepEqual(manifest.dependencies ?? {}, {});
  });

  it('names pictures that exist', () => {
    const icons = Object.values(contributes.viewsContainers ?? {}).flatMap((all) => all.map(({ icon }) => icon));
    const missing = [manifest.icon, ...icons].filter((file) => !existsSync(path.join(projectFolder, file)));
    assert.deepEqual(missing, []);
  });
});

/** What a manifest says of such a number. */
function numberRule(schema: z.ZodType): object {
  const { type, minimum, exclusiveMinimum, maximum } = z.toJSONSchema(schema);
  const bounds = { minimum, exclusiveMinimum, maximum: maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum };
  return { type, ...Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound !== undefined)) };
}

/** The keys of the typed command map, whose form is `'devsquad.startRun': …`. */
function registeredCommands(): ReadonlySet<string> {
  const file = path.join(projectFolder, 'src/vscode/commands.ts');
  const commands = new Set<string>();
  if (!existsSync(file)) {
    return commands;
  }
  const visit = (node: ts.Node): void => {
    if (
      (ts.isPropertySignature(node) || ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node)) &&
      ts.isStringLiteral(node.name)
    ) {
      commands.add(node.name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return commands;
}

function textOf(folder: string): string {
  return globSync(`${folder}/**/*.ts`, { cwd: projectFolder })
    .map((file) => readFileSync(path.join(projectFolder, file), 'utf8'))
    .join('\n');
}
