// `npm run package`: packs the extension as devsquad-VERSION.vsix in the project folder.
import { packExtension } from './packExtension.ts';
import { projectFolder } from './project.ts';

console.log(`Packed ${packExtension(projectFolder).file}.`);
