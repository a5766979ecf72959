import { z } from 'zod';
import { promptIdSchema } from './prompt-texts.ts';

const name = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a name is made of a-z, 0-9 and single hyphens')
  .max(60);

const stepName = name.describe('The name of a step of this flow');
const queueName = name.describe('The id of a queue of the city');
const digitSchema = z.string().regex(/^[0-9*#]$/, 'one of the keys 0-9, * and #, in quotes');

/** A play is bounded, so that nobody has to listen for minutes and every list of prompts has a limit. */
const prompts = z.array(promptIdSchema).min(1).max(20);

const saySchema = z.strictObject({
  kind: z.literal('say'),
  prompts: prompts.describe('Played one after the other'),
  next: stepName,
  interruptible: z
    .boolean()
    .default(true)
    .describe('true: a key ends the announcement at once and counts for the next menu; false: it is heard to the end'),
});

const menuSchema = z.strictObject({
  kind: z.literal('menu'),
  prompts: prompts.describe('The question; a key interrupts it'),
  choices: z
    .record(digitSchema, stepName)
    .refine((choices) => Object.keys(choices).length > 0, 'a menu needs at least one choice')
    .describe('Which key leads to which step'),
  timeoutMs: z.int().min(1000).max(30_000).default(5000).describe('How long to wait for a key after the question'),
  maxTries: z.int().min(1).max(5).default(3).describe('How often the question is asked in all'),
  noInput: prompts.describe('Said before the question is asked again because no key was pressed'),
  wrongInput: prompts.describe('Said before the question is asked again because of a key that is no choice'),
  giveUp: stepName.describe('Where the caller goes after the last try: to a person'),
});

const queueSchema = z.strictObject({
  kind: z.literal('queue'),
  queue: queueName,
});

const hangupSchema = z.strictObject({
  kind: z.literal('hangup'),
  prompts: z.array(promptIdSchema).max(20).default([]).describe('Said before the call ends'),
});

const stepSchema = z.discriminatedUnion('kind', [saySchema, menuSchema, queueSchema, hangupSchema]);

/** What a caller hears and may press before a person answers: one YAML file of ivr-flows/. */
export const flowSchema = z
  .strictObject({
    id: name.describe('The same as the file name without .yaml'),
    title: z.string().min(1).max(200),
    start: stepName,
    operatorDigit: digitSchema.default('0').describe('This key leads to a person from everywhere in the flow'),
    operatorQueue: queueName.describe('The queue behind the operator digit, and the refuge when a flow goes astray'),
    steps: z.record(name, stepSchema),
  })
  .meta({ title: 'Yihaotong call flow' });

export type Flow = z.infer<typeof flowSchema>;
export type FlowStep = z.infer<typeof stepSchema>;
export type MenuStep = z.infer<typeof menuSchema>;
