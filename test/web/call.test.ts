import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPages, startDesks } from '../support/browser.ts';
import { startHotline } from '../support/hotline/hotline.ts';
import { tones } from '../support/hotline/talking.ts';
import { faultsOf } from '../support/web/audit.ts';
import type { DeskPage } from '../support/web/desk-page.ts';
import { goHome, type PageAgent, type PageTalk, readyAtPage, ringing, talkAtPage } from '../support/web/talking.ts';

/** Issue 2, «the call that must work», 3 to 5, 8 and 9, as the agent sees it. */
describe('a call on the agent’s page', () => {
  builtPages();
  const hotline = startHotline();
  const desks = startDesks(hotline);
  let agent: PageAgent;
  let talk: PageTalk | undefined;

  beforeEach(async () => {
    talk = undefined;
    agent = await readyAtPage(hotline, desks);
  });

  afterEach(() => goHome(agent, talk));

  it('pops while the phone rings, on this agent’s page and on no other', async () => {
    const other = await desks.signedIn('1002');
    await agent.desk.picture('agent-ready');
    talk = await ringing(hotline, agent, '13800001234', '张三');
    await agent.desk.at('offer-pop').waitFor();
    expect(await agent.desk.at('call-number').textContent()).toBe('138****1234');
    expect(await agent.desk.at('offer-pop').textContent()).toContain('138****1234');
    expect(await agent.desk.at('call-hotline').textContent()).toContain('12345');
    expect(await agent.desk.at('call-queue').textContent()).toBe('市民服务');
    expect(await agent.desk.page.content()).not.toContain('13800001234');
    await agent.desk.seat('reserved');
    expect(await agent.desk.page.title()).toMatch(/来电|坐席工作台/);
    await agent.desk.picture('agent-ringing');
    expect(await other.at('offer-pop').count()).toBe(0);
    expect(await other.at('call-state').count()).toBe(0);
    await talk.citizen.hangup();
    await agent.desk.at('offer-pop').waitFor({ state: 'hidden' });
    await agent.desk.told('来电已离开');
    await agent.desk.seat('ready');
  });

  it('is held, resumed and hung up from the page; wrap-up, today’s calls and the record follow', async () => {
    const { desk } = agent;
    talk = await talkAtPage(hotline, agent);
    await desk.at('offer-pop').waitFor({ state: 'hidden' });
    await desk.seat('busy');
    await desk.picture('agent-talking');

    await desk.press('hold');
    await desk.call('held');
    await talk.agent.hearsNothing();
    await desk.picture('agent-held');
    await desk.press('resume');
    await desk.call('talking');
    await talk.citizen.hears(tones.agent);
    await talk.agent.hears(tones.citizen);

    await desk.matter('咨询');
    await desk.type('content', '个税退税怎么办理');
    await desk.draft('saved');
    await desk.at('order-save').click();
    await desk.at('order-no').waitFor();
    const orderNo = /KF\d{8}-\d{6}/.exec((await desk.at('order-no').textContent()) ?? '')?.[0];
    expect(orderNo).toBeDefined();

    await desk.press('hangup');
    await talk.citizen.ended();
    await talk.agent.ended();
    await desk.seat('wrapUp');
    await desk.call('ended');
    await desk.picture('agent-wrap-up');
    const line = desk.at('today-call').first();
    await line
      .filter({ hasText: orderNo ?? '' })
      .filter({ hasText: '正常结束' })
      .waitFor();
    // Reloaded in the wrap-up, it is all still there.
    await desk.page.reload();
    await desk.call('ended');
    await desk.at('order-no').waitFor();
    expect(await desk.text('content')).toBe('个税退税怎么办理');
    await desk.at('wrapup-end').click();
    await desk.seat('ready');
    // The order is saved, so the desk is clear for the next call.
    await desk.at('call-state').waitFor({ state: 'detached' });

    const recording = desk.page.waitForResponse(/\/recording$/);
    await desk.at('today-call').first().click();
    await desk.at('call-legs').waitFor();
    expect((await recording).status()).toBe(206);
    const record = desk.at('call-record');
    expect(await record.textContent()).toContain('市民服务');
    expect(await record.textContent()).toContain(orderNo);
    expect(await desk.at('call-legs').locator('tbody tr').count()).toBe(2);
    expect(await desk.at('call-legs').textContent()).toContain('138****1234');
    const journal = (await desk.at('call-journal').textContent()) ?? '';
    expect(journal).toContain('坐席按保持');
    expect(journal.replace(/KF|SIP/g, '')).not.toMatch(/[A-Za-z]/);
    expect(await faultsOf(desk.page)).toEqual([]);
    await desk.picture('agent-record');
    await hearRecording(desk);
  });

  it('goes on when the agent’s browser is closed, and a new page shows it', async () => {
    talk = await talkAtPage(hotline, agent);
    await agent.desk.type('content', '浏览器关闭之前');
    await agent.desk.draft('saved');
    await agent.desk.page.context().close();
    await talk.citizen.hears(tones.agent);
    await talk.agent.hears(tones.citizen);
    const again = await desks.signedIn('1001');
    await again.call('talking');
    expect(await again.at('call-number').textContent()).toBe('138****1234');
    await expect.poll(() => again.text('content')).toBe('浏览器关闭之前');
    await again.press('hangup');
    await talk.citizen.ended();
    await again.seat('wrapUp');
  });

  it('shows a caller’s name with marks in it as text and nothing else', async () => {
    const name = '<img src=x onerror=alert(1)> "张,三" 100%';
    talk = await ringing(hotline, agent, '13900005678', name.replaceAll('"', "'"));
    await agent.desk.page.getByText(`<img src=x onerror=alert(1)> '张,三' 100%`).waitFor();
    expect(await agent.desk.page.locator('img[src="x"]').count()).toBe(0);
    await talk.citizen.hangup();
    await agent.desk.seat('ready');
  });

  it('shows earlier calls and open work orders of the same number', async () => {
    talk = await ringing(hotline, agent);
    await agent.desk.at('earlier-calls').getByText('王敏').first().waitFor();
    await agent.desk.at('open-orders').getByText('个税退税怎么办理').waitFor();
    await agent.desk.picture('agent-known-caller');
    await talk.citizen.hangup();
  });
});

/** What is used of the page's <audio>; the tests' own types know no browser. */
interface AudioPlayer {
  readonly duration: number;
  currentTime: number;
  preload: string;
  readonly error: { readonly message: string } | null;
  load(): void;
  addEventListener(type: string, listener: () => void): void;
}

/** The player gets the length from the file's head, and can jump to the end and back. */
async function hearRecording(desk: DeskPage): Promise<void> {
  const player = desk.at('call-recording');
  const { seconds, heardAt } = await player.evaluate(
    (audio: AudioPlayer) =>
      new Promise<{ seconds: number; heardAt: number }>((resolve, reject) => {
        audio.addEventListener('error', () => reject(new Error(`the player says ${audio.error?.message}`)));
        audio.addEventListener('loadedmetadata', () => {
          audio.currentTime = audio.duration / 2;
        });
        audio.addEventListener('seeked', () => resolve({ seconds: audio.duration, heardAt: audio.currentTime }));
        audio.preload = 'auto';
        audio.load();
      }),
  );
  expect(seconds).toBeGreaterThan(1);
  expect(heardAt).toBeCloseTo(seconds / 2, 1);
}
