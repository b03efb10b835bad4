// Asks VS Code for the web address of each link named in CALLBACK_LINKS and writes them all to CALLBACK_ADDRESSES, as JSON.
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';

export async function activate() {
  const links = JSON.parse(process.env.CALLBACK_LINKS ?? '[]');
  const addressOf = (link) => vscode.env.asExternalUri(vscode.Uri.parse(`${vscode.env.uriScheme}://${link}`));
  const addresses = await Promise.all(links.map(addressOf));
  writeFileSync(process.env.CALLBACK_ADDRESSES, JSON.stringify(addresses.map((address) => address.toString(true))));
}
