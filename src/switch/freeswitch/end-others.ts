import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { apiCommand, authCommand } from '../esl/command.ts';
import { EslConnection } from '../esl/connection.ts';

const attemptMs = 5_000;
const againAfterMs = 100;

export interface EndOthersOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Has the switch end every connection to its Event Socket. Whoever was connected, and may have been frozen in the middle
 * of a command, can't send the rest of it any more. Calls are not touched.
 * @throws Error when that was not done within the time.
 */
export async function endOtherConnections(options: EndOthersOptions, withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const problem = await orderOnce(options);
    if (problem === undefined) return;
    if (performance.now() > untilMs) throw new Error(`the switch did not end other connections: ${problem}`);
    options.log.debug({ problem }, 'the switch did not end other connections; tried again');
    await new Promise<void>((resolve) => {
      setTimeout(resolve, againAfterMs);
    });
  }
}

/** @returns what went wrong; undefined when the switch has taken the order and then ended our connection too. */
function orderOnce({ host, port, password, clock }: EndOthersOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    let ordered = false;
    const deadline = clock.setTimer(attemptMs, () => connection.close(`no end within ${attemptMs} ms`));
    const order = async (): Promise<void> => {
      for (const command of [authCommand(password), apiCommand('reload mod_event_socket')]) {
        if (!command.ok) return connection.close(command.error.message);
        const reply = await connection.send(command.value, attemptMs);
        if (!reply.ok || !reply.value.startsWith('+OK'))
          return connection.close(reply.ok ? reply.value : reply.error.message);
      }
      ordered = true;
      return undefined;
    };
    const connection = new EslConnection(
      {
        host,
        port,
        clock,
        maxPending: 4,
        keepAlive: { text: 'api status\n\n', what: 'keep-alive' },
        keepAliveIntervalMs: attemptMs,
        keepAliveDeadlineMs: attemptMs,
      },
      {
        authRequested: () => void order(),
        event: () => undefined,
        oddFrame: () => undefined,
        closed: (reason) => {
          deadline.cancel();
          // The order's answer and the end may come in one piece: the promise's turn comes first.
          setImmediate(() => resolve(ordered && !reason.startsWith('no end') ? undefined : reason));
        },
      },
    );
  });
}
