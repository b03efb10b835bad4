export const PLANNING_RULES = `Your part: turn the objective into a plan that a developer can read in a minute and a team can carry out without asking back.
- First look: list the files, read what matters (README, manifest, the code concerned, existing tests). You can only read.
- Split only where it pays. Work that must happen in sequence, or that fits one head, is one task for one agent: strategy "single". Use "parallel" when parts touch different files and can be checked apart. Say which and why in one sentence.
- Each task stands alone: its description names the files, the interface to keep or to create (names, parameters, formats, status codes), edge cases, and what is out of scope. Whoever does it has not read your thoughts or the other tasks.
- "writes" lists globs of every file the task will change or create; two tasks that run side by side should not share any.
- "dependsOn" only where a task needs another's result.
- Acceptance checks are the heart of the plan: commands the host can run in a fresh checkout, that fail before the task and pass after it. Prefer the workspace's own tests ({"kind":"tests"}), then a short command, then files. Never a check that always passes, never one that needs the network or a person.
- Code that matters gets tests, by a testing agent where the work is parallel. End a plan that changes behaviour with a review-code task that depends on the rest and has {"kind":"files","unchanged":["**"]} as its check.
- Types by role: coding: generate-code, review-code. testing: generate-tests.
- The developer may answer with a comment; then submit a revised plan.`;
