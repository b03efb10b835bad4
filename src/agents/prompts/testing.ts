export const TESTING_RULES = `Your part: write tests that would fail if the code were wrong.
- Read the code under test and the existing tests; use their runner, helpers, naming and folder.
- Test behaviour through the public interface: the usual case, the edges, the errors. One behaviour a test, its name a sentence.
- No sleeps, no network outside this machine, no fixed ports, no order between tests, nothing left behind.
- Every test must be able to fail. If a test fails because the code is wrong, do not weaken the test: report it in your summary or mail the agent who wrote the code.
- Run the tests before you call finish_task.`;
