/** A button of VS Code's toolkit. Nothing outside this folder knows which toolkit draws it. */
import { provideVSCodeDesignSystem, vsCodeButton } from '@vscode/webview-ui-toolkit';
import { h, type ComponentChildren } from 'preact';
import { Icon } from './Icon.tsx';

provideVSCodeDesignSystem().register(vsCodeButton());

export interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly onPress: () => void;
  /** Said instead of the text, where the text alone does not say on what it acts. Begins with the text. */
  readonly label?: string;
  readonly title?: string;
  readonly icon?: string;
  readonly look?: 'primary' | 'secondary' | 'icon';
  readonly small?: boolean;
}

export function Button({ children, onPress, label, title, icon, look = 'secondary', small = false }: ButtonProps) {
  return h(
    'vscode-button',
    {
      appearance: look,
      class: small ? 'small' : '',
      ...(label === undefined ? {} : { 'aria-label': label }),
      ...(title === undefined ? {} : { title }),
      onClick: onPress,
    },
    icon !== undefined && <Icon name={icon} />,
    children,
  );
}
