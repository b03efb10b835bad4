export function listEditorModels(): Promise<{ name: string; label: string; vendor: string }[]> {
  return Promise.resolve([]);
}
