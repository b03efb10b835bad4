/** Where the OpenAI-compatible door leads when nothing else is said. */
export const OPENAI_URL = 'https://api.openai.com/v1';
