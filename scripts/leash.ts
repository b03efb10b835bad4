// Preloaded into the VS Code server: when whoever holds the other end of its standard input is gone, even by SIGKILL, the
// server's whole process group ends. VS Code hands its Node options on to the processes it forks, so they load this too.
if (process.argv[1]?.endsWith('server-main.js')) {
  process.stdin.on('close', () => process.kill(0, 'SIGKILL')).resume();
  if ('unref' in process.stdin) {
    process.stdin.unref();
  }
}
