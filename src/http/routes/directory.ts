import { z } from 'zod';
import { requirePerson } from '../auth.ts';
import type { HttpDeps } from '../deps.ts';
import { type App, errorSchema } from '../server.ts';

/** What the desk's pickers offer: hotlines to transfer to, and the words of the work-order form. */
export function directoryRoutes(app: App, deps: HttpDeps): void {
  const preHandler = requirePerson(deps);
  app.get(
    '/api/hotlines',
    {
      preHandler,
      schema: {
        summary: '热线目录',
        response: {
          200: z.object({
            hotlines: z.array(
              z.object({
                number: z.string(),
                name: z.string(),
                owner: z.string(),
                mode: z.string(),
                reachable: z.boolean(),
              }),
            ),
          }),
          401: errorSchema,
        },
      },
    },
    async () => ({ hotlines: [...deps.hotlines()] }),
  );
  app.get(
    '/api/catalogue',
    {
      preHandler,
      schema: {
        summary: '工单字典',
        response: {
          200: z.object({
            matterTypes: z.array(z.string()),
            categories: z.array(z.string()),
            units: z.array(z.string()),
            breakReasons: z.array(z.string()),
          }),
          401: errorSchema,
        },
      },
    },
    async () => {
      const { matterTypes, categories, units, breakReasons } = deps.catalogue();
      return {
        matterTypes: [...matterTypes],
        categories: [...categories],
        units: [...units],
        breakReasons: [...breakReasons],
      };
    },
  );
}
