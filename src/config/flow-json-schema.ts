import { z } from 'zod';
import { flowSchema } from '../domain/ivr/flow.ts';

/** The JSON Schema (draft 2020-12) of a flow file as it is written, for editors: the text of flow.schema.json. */
export function flowJsonSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(flowSchema, { io: 'input' }), null, 2)}\n`;
}
