import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPages, startDesks } from '../support/browser.ts';
import { startHotline } from '../support/hotline/hotline.ts';
import { tones } from '../support/hotline/talking.ts';
import { goHome, type PageAgent, type PageTalk, readyAtPage, talkAtPage } from '../support/web/talking.ts';

/** Issue 2, «the call that must work», 6: nothing typed is lost. */
describe('the work order, typed while they talk', () => {
  builtPages();
  const hotline = startHotline();
  const desks = startDesks(hotline);
  let agent: PageAgent;
  let talk: PageTalk;

  beforeEach(async () => {
    agent = await readyAtPage(hotline, desks);
    talk = await talkAtPage(hotline, agent);
  });

  afterEach(async () => {
    await goHome(agent, talk);
  });

  it('is saved by itself, survives a reload, and gets a number when it is saved for good', async () => {
    const { desk } = agent;
    await desk.matter('投诉');
    await desk.type('category', '噪音');
    await desk.page.getByRole('option', { name: '噪音扰民' }).click();
    await desk.type('unit', '税务');
    await desk.page.keyboard.press('ArrowDown');
    await desk.page.keyboard.press('Enter');
    await desk.type('citizen', '李女士');
    await desk.type('contact', '0371-12345678');
    await desk.type('address', '鼓楼区中山路1号');
    await desk.type('content', '夜里施工，影响休息。\n请尽快处理。');
    await desk.draft('saved');
    await desk.picture('order-typed');
    await desk.page.reload();
    await desk.online();
    await desk.call('talking');
    expect(await desk.text('content')).toBe('夜里施工，影响休息。\n请尽快处理。');
    expect(await desk.text('category')).toBe('噪音扰民');
    expect(await desk.text('unit')).toContain('税务');
    expect(await desk.text('citizen')).toBe('李女士');
    expect(await desk.text('contact')).toBe('0371-12345678');
    expect(await desk.text('address')).toBe('鼓楼区中山路1号');
    expect(await desk.page.getByRole('radio', { name: '投诉' }).isChecked()).toBe(true);
    await desk.at('order-save').click();
    await desk.at('order-no').waitFor();
    expect(await desk.at('order-no').textContent()).toMatch(/KF\d{8}-\d{6}/);
    await desk.told('已保存');
    // An order can still be corrected.
    await desk.type('content', '（已补充）');
    await desk.draft('saved');
    await desk.at('order-save').filter({ hasText: '更新工单' }).click();
    await desk.told('已保存');
  });

  it('is refused in words while something needed is missing', async () => {
    const { desk } = agent;
    await desk.type('content', '只有内容');
    await desk.at('order-save').click();
    await desk.told('请填写：诉求类型');
    expect(await desk.at('order-no').count()).toBe(0);
    expect(await desk.text('content')).toBe('只有内容');
  });

  it('survives a reload in the very moment of typing', async () => {
    const { desk } = agent;
    await desk.type('content', '刚刚输入');
    await desk.page.reload();
    await desk.call('talking');
    await expect.poll(() => desk.text('content')).toBe('刚刚输入');
    await desk.draft('saved');
  });

  it('survives a line that breaks: typing goes on and is saved afterwards', async () => {
    const { desk } = agent;
    desk.foreseeOutage();
    await desk.type('content', '断线之前，');
    await desk.draft('saved');
    desks.line.cut();
    await desk.offline();
    await desk.type('content', '断线之中，');
    await desk.draft('keptLocally');
    await desk.picture('offline');
    expect(await desk.at('btn-hold').isDisabled()).toBe(true);
    // The talk itself does not go over that line.
    await talk.citizen.hears(tones.agent);
    desks.line.mend();
    await desk.online();
    await desk.type('content', '恢复之后。');
    await desk.draft('saved');
    await desk.page.reload();
    await desk.call('talking');
    await expect.poll(() => desk.text('content')).toBe('断线之前，断线之中，恢复之后。');
  });

  it('survives a browser that is told it is offline', async () => {
    const { desk } = agent;
    desk.foreseeOutage();
    await desk.page.context().setOffline(true);
    await desk.type('content', '网线拔掉了');
    await desk.page.context().setOffline(false);
    await desk.online();
    await desk.draft('saved');
    expect(await desk.text('content')).toBe('网线拔掉了');
  });

  it('survives a restart of the service, with the call and the rest of the desk', async () => {
    const { desk } = agent;
    desk.foreseeOutage();
    await desk.matter('求助');
    await desk.type('content', '重启之前');
    await desk.draft('saved');
    const restarted = hotline.restart();
    await desk.offline();
    await desk.type('content', '，重启之中');
    await restarted;
    await desk.online();
    await desk.call('talking');
    await desk.draft('saved');
    expect(await desk.text('content')).toBe('重启之前，重启之中');
    await talk.citizen.hears(tones.agent);
    await desk.page.reload();
    await desk.call('talking');
    await expect.poll(() => desk.text('content')).toBe('重启之前，重启之中');
    await desk.press('hold');
    await desk.call('held');
    await desk.press('resume');
    await desk.call('talking');
  });

  it('is there after a restart of the service in the wrap-up', async () => {
    const { desk } = agent;
    desk.foreseeOutage();
    await desk.matter('求助');
    await desk.type('content', '通话结束后重启');
    await desk.draft('saved');
    await talk.citizen.hangup();
    await desk.seat('wrapUp');
    await hotline.restart();
    await desk.page.reload();
    await desk.online();
    await desk.seat('wrapUp');
    await expect.poll(() => desk.text('content')).toBe('通话结束后重启');
    await desk.at('order-save').click();
    await desk.at('order-no').waitFor();
  });

  it('is seen in the agent’s other window, and what both typed at once is kept', async () => {
    const first = agent.desk;
    const second = await desks.window(first.page.context());
    await second.open();
    await second.call('talking');
    await first.type('content', '第一个窗口');
    await expect.poll(() => second.text('content')).toBe('第一个窗口');
    await second.type('address', '第二个窗口');
    await expect.poll(() => first.text('address')).toBe('第二个窗口');
    await first.draft('saved');

    // One window without a line types on, the other meanwhile too.
    await second.page.close();
    const far = await desks.signedIn('1001');
    await far.call('talking');
    first.foreseeOutage();
    await first.page.context().setOffline(true);
    await first.offline();
    await first.type('content', '，离线时写的');
    await first.draft('keptLocally');
    await far.type('content', '，别处写的');
    await far.draft('saved');
    await first.page.context().setOffline(false);
    await first.at('order-conflict').waitFor();
    await first.picture('order-conflict');
    expect(await first.text('content')).toBe('第一个窗口，别处写的');
    await first.at('order-conflict-show').click();
    await first.page.getByText('第一个窗口，离线时写的').waitFor();
    await first.picture('order-conflict-read');
    await first.page.keyboard.press('Escape');
    await first.at('order-conflict-restore').first().click();
    await first.draft('saved');
    expect(await first.text('content')).toBe('第一个窗口，离线时写的');
    await expect.poll(() => far.text('content')).toBe('第一个窗口，离线时写的');
  });
});
