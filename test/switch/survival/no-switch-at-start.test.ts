import { expect, it } from 'vitest';
import { startHotline } from '../../support/hotline/hotline.ts';
import { readyAgent, talk } from '../../support/hotline/talking.ts';
import { until } from '../../support/until.ts';

const hotline = startHotline({ ownProcess: true, switchProxy: true });

it('control starts and finds no switch at first: a page that is back before the calls is shown its call when they are', async () => {
  const agent = await readyAgent(hotline, '1001');
  const { callId, citizen } = await talk(hotline, agent, '13800000007');
  await hotline.process.stop();
  hotline.cutSwitch(true);
  const ready = hotline.process.start();
  await until('the page answers', () =>
    fetch(hotline.webUrl).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await agent.desk.open({ epoch: agent.desk.epoch, lastSeq: agent.desk.lastSeq });
  expect(agent.desk.pushes.filter(({ type }) => type === 'snapshot').at(-1)).toMatchObject({ call: null });
  hotline.cutSwitch(false);
  await ready;
  await agent.desk.push('snapshot', (push) => push.call?.callId === callId && push.call.state === 'talking');
  await agent.desk.do({ do: 'hangup', callId });
  await citizen.ended();
  await agent.desk.seatIs('in wrap-up', (seat) => seat.status === 'wrapUp');
});
