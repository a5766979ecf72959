import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPages, startDesks } from '../support/browser.ts';
import { fullDisk } from '../support/full-disk.ts';
import { liveCall } from '../support/hotline/calls.ts';
import { startHotline } from '../support/hotline/hotline.ts';
import { tones } from '../support/hotline/talking.ts';
import { faultsOf } from '../support/web/audit.ts';
import { goHome, type PageAgent, type PageTalk, readyAtPage, ringing, talkAtPage } from '../support/web/talking.ts';

const supervisorHz = 2100;

/** Issue 3, section 1, «mixing», as the supervisor sees it. */
describe('the supervisor’s page', () => {
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

  /** Issue 3, section 1, «disk full (the call goes on, an alarm is raised)». */
  it('says, as the agent’s does, that a recording was cut short, and what to do', async () => {
    const page = await desks.signedIn('banzhang');
    talk = await ringing(hotline, agent);
    const { id, startedAtMs } = await liveCall(hotline, '13800001234', ['offering']);
    const day = new Date(startedAtMs).toISOString().slice(0, 10);
    const disk = await fullDisk(join(hotline.switch.recordingsFolder, day));
    await disk.file(`${id}.wav`);
    talk.agent.answer();
    await agent.desk.call('talking');
    await talk.citizen.hears(tones.agent);
    // Without a disk of its own FreeSWITCH tells it at the end, when the call has left the supervisor's list.
    const atOnce = disk.mounted || hotline.switch.kind === 'embedded';
    if (!atOnce) await talk.citizen.hangup();
    const notice = (words: string) => page.page.locator('.el-message', { hasText: words }).waitFor();
    await Promise.all([
      notice('请立即通知运维清理录音磁盘'),
      agent.desk.page.locator('.el-message', { hasText: '请把要点记入工单' }).waitFor(),
    ]);
    await agent.desk.at('recording-lost').filter({ hasText: '录音中断' }).waitFor();
    if (atOnce) await page.at('live-recording-lost').filter({ hasText: '录音中断' }).waitFor();
    await page.picture('recording-lost');
    expect(await faultsOf(agent.desk.page)).toEqual([]);
    await goHome(agent, talk);
    await disk.release();
  });

  it('lists the live call; listens, whispers, barges and leaves by its buttons', async () => {
    const phone = await hotline.agentPhone('1009', { toneHz: supervisorHz });
    const page = await desks.signedIn('banzhang');
    talk = await talkAtPage(hotline, agent);
    const line = page.at('live-call');
    await line.filter({ hasText: '通话中' }).waitFor();
    await page.at('live-listen').click();
    const supervisor = await phone.nextInvite();
    supervisor.ring();
    supervisor.answer();
    const now = (mode: string) =>
      page
        .at('live-supervisor')
        .filter({ hasText: `${mode}中` })
        .waitFor();
    await now('监听');
    await supervisor.hears(tones.citizen);
    await talk.citizen.hearsOnly([tones.agent]);
    await page.at('live-whisper').click();
    await now('耳语');
    await talk.agent.hearsOnly([tones.citizen, supervisorHz]);
    await page.picture('supervisor-whispering');
    await page.at('live-barge').click();
    await now('强插');
    await talk.citizen.hearsOnly([tones.agent, supervisorHz]);
    expect(await faultsOf(page.page)).toEqual([]);
    await page.at('live-leave').click();
    await supervisor.ended();
    await talk.citizen.hearsOnly([tones.agent]);
    expect(page.problems).toEqual([]);
    await phone.close();
  });
});
