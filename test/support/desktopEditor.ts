import { existsSync } from 'node:fs';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { projectFolder } from '../../scripts/project.ts';

/** The oldest VS Code that the manifest allows: what works there uses no newer API than it promises. */
const oldestVersion = '1.104.0';
const downloadMs = 240_000;

export interface DesktopEditor {
  readonly executable: string;
  /** Runs a suite in its extension host, with DevSquad and `extensions` under development. Rejects when a test fails. */
  run(suite: string, env: Readonly<Record<string, string>>, extensions: readonly string[]): Promise<void>;
}

/**
 * A desktop VS Code, or the sentence that says why there is none. `DEVSQUAD_DESKTOP_VSCODE` is the path of its executable,
 * or `off`; where it is not set, one is downloaded, unless there is no screen it could show its window on.
 */
export async function findDesktopEditor(): Promise<DesktopEditor | string> {
  const wanted = process.env['DEVSQUAD_DESKTOP_VSCODE'];
  if (wanted === 'off') {
    return 'DEVSQUAD_DESKTOP_VSCODE is off';
  }
  if (wanted) {
    return existsSync(wanted) ? desktopEditor(wanted) : `there is no ${wanted}`;
  }
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
    return 'there is no display';
  }
  try {
    return desktopEditor(await downloadAndUnzipVSCode({ version: oldestVersion, timeout: downloadMs }));
  } catch (error) {
    return `it could not be downloaded (${error instanceof Error ? error.message : String(error)})`;
  }
}

function desktopEditor(executable: string): DesktopEditor {
  return {
    executable,
    async run(suite, env, extensions) {
      await runTests({
        vscodeExecutablePath: executable,
        extensionDevelopmentPath: [projectFolder, ...extensions],
        extensionTestsPath: suite,
        extensionTestsEnv: env,
        launchArgs: ['--disable-extensions', '--disable-workspace-trust'],
      });
    },
  };
}
