/** The seeds of a test: one given by DEVSQUAD_SEED, or as many as the environment asks for from a random one on. */
export function seedsOf(countVariable: string, count: number): { seeds: number[]; first: number } {
  const given = process.env['DEVSQUAD_SEED'];
  const first = given === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given);
  const length = given === undefined ? Number(process.env[countVariable] ?? count) : 1;
  return { seeds: Array.from({ length }, (_, index) => first + index), first };
}
