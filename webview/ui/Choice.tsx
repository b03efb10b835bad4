/** One of a few, side by side: radio buttons, so arrows move and screen readers say which of how many. */
export function Choice<Value extends string>({
  label,
  values,
  value,
  onChoose,
}: {
  readonly label: string;
  readonly values: readonly Value[];
  readonly value: Value;
  readonly onChoose: (value: Value) => void;
}) {
  return (
    <fieldset class="choice" aria-label={label}>
      {values.map((each) => (
        <label key={each} class={each === value ? 'chosen' : ''}>
          <input
            type="radio"
            name={label}
            checked={each === value}
            onChange={() => {
              onChoose(each);
            }}
          />
          {each}
        </label>
      ))}
    </fieldset>
  );
}
