import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPages, startDesks } from '../support/browser.ts';
import { startHotline } from '../support/hotline/hotline.ts';
import { tones } from '../support/hotline/talking.ts';
import type { TestPhone } from '../support/phone/phone.ts';
import { faultsOf } from '../support/web/audit.ts';
import { goHome, type PageAgent, type PageTalk, readyAtPage, talkAtPage } from '../support/web/talking.ts';

/** Issue 2, «the call that must work», 7, on the pages of the agent and of the sub-centre. */
describe('the sub-centre on the pages', () => {
  builtPages();
  const hotline = startHotline();
  const desks = startDesks(hotline);
  let agent: PageAgent;
  let talk: PageTalk;
  let exchange: TestPhone;

  beforeEach(async () => {
    exchange = await hotline.subcentre({ toneHz: tones.subcentre });
    agent = await readyAtPage(hotline, desks);
    talk = await talkAtPage(hotline, agent);
  });

  afterEach(async () => {
    await goHome(agent, talk);
    await exchange.close();
  });

  it('shows the same card and draft while its phone rings; then all three talk, and the agent leaves', async () => {
    const { desk } = agent;
    const subcentre = await desks.signedIn('12366');
    const other = await desks.signedIn('1002');
    await desk.matter('咨询');
    await desk.type('content', '个税退税');
    await desk.draft('saved');
    await desk.press('consult');
    await desk.at('target-12366').waitFor();
    expect(await faultsOf(desk.page)).toEqual([]);
    await desk.picture('target-picker');
    await desk.page.keyboard.press('Escape');
    await desk.pick('consult', '12366');
    const ringing = await exchange.nextInvite();
    ringing.ring();
    await desk.call('consultRinging');
    await subcentre.call('ringing');
    await subcentre.at('offer-pop').waitFor();
    expect(await subcentre.at('call-number').textContent()).toBe('138****1234');
    await subcentre.at('order-content').filter({ hasText: '个税退税' }).waitFor();
    await subcentre.at('order-type').filter({ hasText: '咨询' }).waitFor();
    expect(await other.at('call-state').count()).toBe(0);
    await desk.picture('agent-consult-ringing');
    await subcentre.picture('subcentre-ringing');
    await desk.type('content', '，2025年度');
    await subcentre.at('order-content').filter({ hasText: '个税退税，2025年度' }).waitFor();

    ringing.answer();
    await desk.call('consulting');
    await subcentre.call('consulting');
    await talk.agent.hears(tones.subcentre);
    await desk.picture('agent-consulting');
    await desk.press('three-way');
    await desk.call('threeWay');
    await subcentre.call('threeWay');
    await talk.citizen.hearsOnly([tones.agent, tones.subcentre]);
    await desk.picture('agent-three-way');
    await subcentre.picture('subcentre-three-way');
    expect(await faultsOf(desk.page)).toEqual([]);
    expect(await faultsOf(subcentre.page)).toEqual([]);
    await desk.press('leave');
    await talk.agent.ended();
    await desk.seat('wrapUp');
    await desk.call('ended');
    await subcentre.call('talking');
    await talk.citizen.hearsOnly([tones.subcentre]);
    // The agent goes on writing, and the sub-centre sees it.
    await desk.type('content', '，已三方');
    await subcentre.at('order-content').filter({ hasText: '已三方' }).waitFor();
    await ringing.hangup();
    await talk.citizen.ended();
    await subcentre.call('ended');
    await subcentre.at('today-call').first().filter({ hasText: '138****1234' }).waitFor();
    await subcentre.at('today-call').first().click();
    await subcentre.at('call-legs').waitFor();
    await subcentre.page.getByText('录音由坐席方保管').waitFor();
    await subcentre.picture('subcentre-record');
  });

  it('is busy: the agent is told, and one click brings the citizen back', async () => {
    const { desk } = agent;
    await desk.pick('consult', '12366');
    (await exchange.nextInvite()).reject(486);
    await desk.told('对方忙');
    await desk.call('held');
    await desk.picture('agent-subcentre-busy');
    await desk.press('resume');
    await desk.call('talking');
    await talk.citizen.hears(tones.agent);
    await talk.agent.hears(tones.citizen);
  });

  it('is called off by the agent; its page is empty again and the citizen is back', async () => {
    const { desk } = agent;
    const subcentre = await desks.signedIn('12366');
    await desk.pick('consult', '12366');
    const ringing = await exchange.nextInvite();
    ringing.ring();
    await subcentre.at('offer-pop').waitFor();
    await desk.press('cancel-consult');
    await ringing.ended();
    await desk.call('talking');
    await subcentre.at('offer-pop').waitFor({ state: 'hidden' });
    await talk.citizen.hears(tones.agent);
  });

  it('gets the citizen by a transfer; the agent is in wrap-up', async () => {
    const { desk } = agent;
    await desk.pick('transfer', '12366');
    const ringing = await exchange.nextInvite();
    ringing.ring();
    ringing.answer();
    await talk.agent.ended();
    await desk.seat('wrapUp');
    await talk.citizen.hears(tones.subcentre);
    await talk.citizen.hangup();
    await ringing.ended();
  });

  it('is chosen by name or with the arrow keys; no other number can be called', async () => {
    const { desk } = agent;
    await desk.press('transfer');
    await desk.at('target-search').fill('税务');
    await desk.page.locator('[data-testid="target-12366"][aria-selected="true"]').waitFor();
    await desk.at('target-search').fill('没有这样的热线');
    await desk.page.getByText('没有匹配的热线').waitFor();
    expect(await desk.at('target-confirm').isDisabled()).toBe(true);
    await desk.at('target-search').fill('13800005678');
    await desk.page.getByText('没有匹配的热线').waitFor();
    await desk.at('target-search').fill('');
    await desk.page.keyboard.press('ArrowDown');
    await desk.page.keyboard.press('ArrowDown');
    await desk.page.locator('[data-testid="target-12320"][aria-selected="true"]').waitFor();
    await desk.page.keyboard.press('Escape');
    await desk.at('target-picker').waitFor({ state: 'hidden' });
    await desk.call('talking');
  });
});
