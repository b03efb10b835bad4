/** What holds a command so that it reaches its own folder and little else. It never takes the place of asking. */

/** What a command gets beside the system's own programs, which it can read. */
export interface Box {
  /** The one folder it may change. */
  readonly writable: string;
  /** Folders it may read though they lie where everything is hidden. */
  readonly readable: readonly string[];
  readonly network: boolean;
}

export interface Sandbox {
  readonly name: string;
  /** Makes what the box needs, and says how `argv` is run in it, from `cwd`, with `variables` beside those that it inherits. */
  wrap(argv: readonly string[], cwd: string, box: Box, variables?: Readonly<Record<string, string>>): Promise<Boxed>;
}

export interface Boxed {
  readonly commandLine: readonly [program: string, ...args: string[]];
  /**
   * What the sandbox's own program reads from descriptor 3: the command's variables among it, none of which that program
   * is to have itself, or a command could choose by `PATH` or `LD_PRELOAD` what runs outside of the box. Without it they are
   * in its environment, where they do nothing to it.
   */
  readonly told?: string;
  /** To be called when nothing of the command runs any more. Never rejects. */
  readonly end: () => Promise<void>;
}

/** What a sandbox must know of the machine. */
export interface Surroundings {
  readonly home: string;
  /** Where programs put what they need for a while. */
  readonly temporary: string;
  /** Folders that no command is to see. */
  readonly hidden: readonly string[];
}
