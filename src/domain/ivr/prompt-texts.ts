import { z } from 'zod';

/** The name of a prompt: also its file name without `.wav`, so nothing that a path could be made of. */
export const promptIdSchema = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a prompt id is made of a-z, 0-9 and single hyphens')
  .max(60);

const promptTextSchema = z.union([
  z.strictObject({
    text: z.string().min(1).describe('What the caller hears, in Chinese'),
    pinyin: z.string().min(1).describe('The same for the synthesiser: pinyin with tone numbers, digits written out'),
  }),
  z.strictObject({
    text: z.string().min(1),
    sound: z.enum(['beep', 'music']).describe('Not speech: made by the program'),
  }),
]);
export type PromptText = z.infer<typeof promptTextSchema>;

/** The content of prompts/prompts.yaml: what each prompt says. */
export const promptTextsSchema = z.record(promptIdSchema, promptTextSchema);
