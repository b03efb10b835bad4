/** In the page: texts whose contrast with what is behind them is below `least`, by the formula of WCAG 2. */
export function textsBelow(least: number): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  // Any CSS colour as bytes, drawn over what is behind it.
  const draw = (colours: readonly string[]): number[] => {
    if (!canvas) {
      return [];
    }
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb: readonly number[]): number => {
    const [red = 0, green = 0, blue = 0] = rgb.map((byte) =>
      byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: Element | null): string[] =>
    element ? [...behind(element.parentElement), getComputedStyle(element).backgroundColor] : [];
  const faint: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element && node.textContent?.trim() && element.getClientRects().length > 0 && element.tagName !== 'SCRIPT') {
      const ground = behind(element);
      const [one, other] = [luminance(draw(ground)), luminance(draw([...ground, getComputedStyle(element).color]))];
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      if (contrast < least) {
        faint.push(`${node.textContent.slice(0, 40)}: ${contrast.toFixed(2)}`);
      }
    }
  }
  return faint;
}
