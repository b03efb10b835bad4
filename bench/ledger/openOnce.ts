/**
 * Opens a ledger, or only reads and parses what it would have to: `openOnce.ts ledger|floor STORAGE EPOCH`. Prints its milliseconds and, of
 * them, those of the main thread's processor time. */
import path from 'node:path';
import { systemFiles } from '../../src/ledger/files.ts';
import { decodeRecord } from '../../src/ledger/journalRecord.ts';
import { listStorage } from '../../src/ledger/storageFolder.ts';
import { openLedger } from './bigSquad.ts';

const IMAGE_HEADER_BYTES = 56;
const [what, storage = '', epoch = ''] = process.argv.slice(2);
const [start, cpu] = [performance.now(), process.threadCpuUsage()];
const print = (): void => {
  const { user, system } = process.threadCpuUsage(cpu);
  console.log(`${performance.now() - start} ${(user + system) / 1000}`);
};
if (what === 'floor') {
  const { images, segments } = listStorage(systemFiles, storage);
  const [image] = images;
  if (image) {
    JSON.parse(systemFiles.read(path.join(storage, image.name)).subarray(IMAGE_HEADER_BYTES).toString());
  }
  for (const { name } of segments.filter((segment) => segment.epoch > (image?.epoch ?? 0))) {
    const bytes = systemFiles.read(path.join(storage, name));
    let offset = 0;
    for (let record = decodeRecord(bytes, 0); record; record = decodeRecord(bytes, offset)) {
      JSON.parse(record.json.toString());
      offset += record.length;
    }
  }
  print();
} else {
  const ledger = await openLedger(storage, Number(epoch));
  print();
  await ledger.close();
}
process.exit(0);
