import { err, ok, type Result } from '../../kernel/result.ts';
import type { SwitchFailure } from '../port.ts';

/**
 * FreeSWITCH's many words for "no such leg": uuid_kill, uuid_transfer, uuid_break; uuid_record; uuid_bridge; sendmsg;
 * and uuid_answer, which says `-ERROR` both for a leg that is gone and for one that is going.
 */
const GONE = /^-ERR(OR$| No such channel| Cannot locate session| Invalid uuid| invalid session id)/;

/** Whether a command was carried out, by the text of its reply. */
export function readReply(reply: Result<string, SwitchFailure>): Result<void, SwitchFailure> {
  if (!reply.ok) return reply;
  const text = reply.value.trim();
  if (text.startsWith('+OK')) return ok(undefined);
  return err({ kind: GONE.test(text) ? 'gone' : 'refused', message: text.slice(0, 200) || 'empty reply' });
}
