/** A codicon. It only repeats what a text beside it says, so it is silent. */
export function Icon({ name }: { readonly name: string }) {
  return <i class={`codicon codicon-${name}`} aria-hidden="true" />;
}
