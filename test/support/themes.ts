/** VS Code's colours as a webview gets them, for pages that are shown without VS Code: those our views use. */
export interface Theme {
  /** Class that VS Code gives the body. */
  readonly kind: 'vscode-dark' | 'vscode-light' | 'vscode-high-contrast';
  readonly variables: Readonly<Record<string, string>>;
}

const fonts = {
  'font-family': 'system-ui, "Ubuntu", "Droid Sans", sans-serif',
  'font-size': '13px',
  'font-weight': 'normal',
  'editor-font-family': '"Droid Sans Mono", monospace',
};

export const THEMES = {
  dark: {
    kind: 'vscode-dark',
    variables: {
      ...fonts,
      foreground: '#cccccc',
      'editor-background': '#1f1f1f',
      'panel-border': '#2b2b2b',
      focusBorder: '#0078d4',
      'textLink-foreground': '#4daafc',
      'button-background': '#0078d4',
      'button-foreground': '#ffffff',
      'button-hoverBackground': '#026ec1',
      'button-secondaryBackground': '#313131',
      'button-secondaryForeground': '#cccccc',
      'button-secondaryHoverBackground': '#3c3c3c',
      'button-border': '#ffffff12',
      'progressBar-background': '#0078d4',
      'charts-blue': '#3794ff',
      'charts-green': '#89d185',
      'charts-yellow': '#cca700',
      'charts-red': '#f14c4c',
    },
  },
  light: {
    kind: 'vscode-light',
    variables: {
      ...fonts,
      foreground: '#3b3b3b',
      'editor-background': '#ffffff',
      'panel-border': '#e5e5e5',
      focusBorder: '#005fb8',
      'textLink-foreground': '#005fb8',
      'button-background': '#005fb8',
      'button-foreground': '#ffffff',
      'button-hoverBackground': '#0258a8',
      'button-secondaryBackground': '#e5e5e5',
      'button-secondaryForeground': '#3b3b3b',
      'button-secondaryHoverBackground': '#cccccc',
      'button-border': '#0000001a',
      'progressBar-background': '#005fb8',
      'charts-blue': '#1a85ff',
      'charts-green': '#388a34',
      'charts-yellow': '#bf8803',
      'charts-red': '#e51400',
    },
  },
  'high-contrast': {
    kind: 'vscode-high-contrast',
    variables: {
      ...fonts,
      foreground: '#ffffff',
      'editor-background': '#000000',
      'panel-border': '#6fc3df',
      contrastBorder: '#6fc3df',
      contrastActiveBorder: '#f38518',
      focusBorder: '#f38518',
      'textLink-foreground': '#21a6ff',
      'button-background': '#000000',
      'button-foreground': '#ffffff',
      'button-secondaryBackground': '#000000',
      'button-secondaryForeground': '#ffffff',
      'button-border': '#6fc3df',
      'progressBar-background': '#6fc3df',
      'charts-blue': '#59a4f9',
      'charts-green': '#89d185',
      'charts-yellow': '#ffd370',
      'charts-red': '#f48771',
    },
  },
} as const satisfies Record<string, Theme>;
