/**
 * Measures an answer while it comes, where its provider takes no limit for its length. It asks for the model's own count only
 * where the answer could be too long by then: no tokenizer makes more tokens than there are bytes.
 */
export class AnswerMeter {
  private readonly limit: number;
  private readonly count: (text: string) => Promise<number>;
  private text = '';
  private measured = 0;
  private unmeasuredBytes = 0;

  constructor(limit: number, count: (text: string) => Promise<number>) {
    this.limit = limit;
    this.count = count;
  }

  /** How much of the next piece fits: 1 for all of it, else about which share, and nothing after it is to be taken. */
  async shareThatFits(piece: string): Promise<number> {
    this.unmeasuredBytes += Buffer.byteLength(piece);
    if (this.measured + this.unmeasuredBytes > this.limit) {
      const whole = await this.count(this.text + piece);
      if (whole > this.limit) {
        const before = await this.count(this.text);
        return Math.max(0, Math.min(1, (this.limit - before) / Math.max(1, whole - before)));
      }
      this.measured = whole;
      this.unmeasuredBytes = 0;
    }
    this.text += piece;
    return 1;
  }
}
