import { ok } from '../../kernel/result.ts';
import type { EslReply } from '../esl/replies.ts';
import type { WayOutCommands } from '../ways-out.ts';
import { readReply } from './replies.ts';

/**
 * How FreeSWITCH arms and disarms the way out of a leg; the tasks of a leg are the group of its UUID.
 * @param afterS after so many whole seconds the dialplan treats it
 */
export function wayOutCommands(api: (line: string) => Promise<EslReply>, afterS: number): WayOutCommands {
  return {
    /** Both in one turn, so that they reach the switch together. */
    async arm(leg, role) {
      const disarmed = api(`sched_del ${leg}`);
      const armed = api(`sched_transfer +${afterS} ${leg} fallback-${role} XML yihaotong`);
      const before = await disarmed;
      return before.ok ? readReply(await armed) : before;
    },
    /** Whatever it answers, nothing is armed any more: "no such task" only means that nothing was. */
    async disarm(leg) {
      const reply = await api(`sched_del ${leg}`);
      return reply.ok ? ok(undefined) : reply;
    },
  };
}
