import { describe, expect, it } from 'vitest';
import { builtPages, startDesks } from '../support/browser.ts';
import { startHotline } from '../support/hotline/hotline.ts';
import { faultsOf } from '../support/web/audit.ts';

/** Issue 2, «the desk»: sign in, status. */
describe('signing in and the seat', () => {
  builtPages();
  const hotline = startHotline();
  const desks = startDesks(hotline);

  it('refuses a wrong password in words, and lets in with the right one', async () => {
    const desk = await desks.window();
    desk.foresee(/401.*\/api\/session/);
    await desk.open('/subcentre');
    await desk.at('login-form').waitFor();
    expect(new URL(desk.page.url()).pathname).toBe('/login');
    expect(await faultsOf(desk.page)).toEqual([]);
    await desk.picture('login');
    await desk.at('login-submit').click();
    await desk.at('login-problem').filter({ hasText: '请输入工号' }).waitFor();
    await desk.submitSignIn('1001', 'not-the-password');
    await desk.at('login-problem').filter({ hasText: '用户名或密码不正确' }).waitFor();
    await desk.picture('login-refused');
    expect(await desk.at('login-password').inputValue()).toBe('');
    await desk.submitSignIn('1001', 'secret-for-tests-only');
    await desk.online();
    expect(new URL(desk.page.url()).pathname).toBe('/');
    expect(await desk.page.title()).toBe('坐席工作台 · 一号通');
    await desk.page.reload();
    await desk.online();
  });

  it('keeps people on the pages of their role', async () => {
    const agent = await desks.signedIn('1001');
    await agent.open('/subcentre');
    await agent.at('seat-ready').waitFor();
    expect(new URL(agent.page.url()).pathname).toBe('/');
    const subcentre = await desks.signedIn('12366');
    await subcentre.open('/');
    await subcentre.online();
    expect(new URL(subcentre.page.url()).pathname).toBe('/subcentre');
    expect(await subcentre.at('seat-ready').count()).toBe(0);
    expect(await faultsOf(subcentre.page)).toEqual([]);
    await subcentre.picture('subcentre-idle');
  });

  it('is ready, on a break with a reason, and shows whether the phone is there', async () => {
    const desk = await desks.signedIn('1001');
    await desk.seat('offline');
    await desk.phone('bad');
    await desk.picture('agent-not-ready');
    const phone = await hotline.agentPhone('1001');
    await desk.phone('good');
    await desk.ready();
    expect(await faultsOf(desk.page)).toEqual([]);
    await desk.at('seat-break').click();
    await desk.at('seat-break-就餐').click();
    await desk.seat('break');
    await desk.at('seat-status').filter({ hasText: '就餐' }).waitFor();
    await desk.picture('agent-break');
    await desk.ready();
    await phone.unregister();
    await desk.phone('bad');
    await phone.close();
  });

  it('shows a break that begins in one window in the other', async () => {
    const machine = await desks.machine();
    const first = await desks.window(machine);
    await first.signIn('1001');
    await first.online();
    const second = await desks.window(machine);
    await second.open();
    await second.online();
    await second.ready();
    await first.seat('ready');
    await first.at('seat-break').click();
    await first.at('seat-break-小休').click();
    await second.seat('break');
  });

  it('signing out closes the other windows of this person, and nobody else’s', async () => {
    const machine = await desks.machine();
    const first = await desks.window(machine);
    await first.signIn('1001');
    await first.online();
    const second = await desks.window(machine);
    await second.open();
    await second.online();
    const other = await desks.signedIn('1002');
    await first.at('sign-out').click();
    await first.at('login-form').waitFor();
    await second.at('login-form').waitFor();
    await other.online();
    // What they saw is gone with them.
    await second.page.reload();
    await second.at('login-form').waitFor();
    second.foresee(/401.*\/api\/session/);
  });

  it('tells a person who has too many windows, and connects when one is closed', async () => {
    const others = [];
    for (let count = 0; count < 8; count += 1) others.push(await hotline.desk('1002'));
    const desk = await desks.window();
    await desk.signIn('1002');
    await desk.at('too-many-windows').waitFor();
    await desk.picture('too-many-windows');
    others[0]?.close();
    await desk.online();
    expect(await desk.at('too-many-windows').count()).toBe(0);
    for (const one of others) one.close();
  });

  it('says so when the service can’t be reached at all, and goes on when it can', async () => {
    const desk = await desks.signedIn('1001');
    desk.foreseeOutage();
    desk.foresee(/failed: GET/);
    await desk.page.route('**/api/session', (route) => route.abort());
    await desk.page.reload();
    await desk.page.getByText('无法连接服务').waitFor();
    await desk.picture('unreachable');
    await desk.page.unroute('**/api/session');
    await desk.page.getByRole('button', { name: '重试' }).click();
    await desk.online();
  });
});
