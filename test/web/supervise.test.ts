import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPages, startDesks } from '../support/browser.ts';
import { startHotline } from '../support/hotline/hotline.ts';
import { tones } from '../support/hotline/talking.ts';
import { faultsOf } from '../support/web/audit.ts';
import { goHome, type PageAgent, type PageTalk, readyAtPage, talkAtPage } from '../support/web/talking.ts';

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
