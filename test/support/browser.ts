/** Real Chromium for tests of the pages: fresh, without a screen, and watched for everything that goes wrong in it. */
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Hotline } from './hotline/hotline.ts';
import { buildPages } from './web/built-pages.ts';
import { DeskPage } from './web/desk-page.ts';
import { Line } from './web/line.ts';

const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Desks {
  /** The only way from the browsers to the service. */
  readonly line: Line;
  /** A machine of its own: a browser profile in which nobody has signed in yet. */
  machine(): Promise<BrowserContext>;
  /** A window, on this machine or on a new one. It is watched, and closed after the test. */
  window(machine?: BrowserContext): Promise<DeskPage>;
  /** A window on a new machine in which this person is signed in and online. */
  signedIn(login: string): Promise<DeskPage>;
}

/**
 * Registers a browser for the file's tests, before the hotline is closed. After each test all windows are closed, and
 * a window in which something went wrong that was not foreseen fails the test.
 */
export function startDesks(hotline: Hotline): Desks {
  let browser: Browser | undefined;
  let line: Line | undefined;
  const machines: BrowserContext[] = [];
  const windows: DeskPage[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args, headless: true });
    line = await Line.open(() => hotline.webUrl);
  });

  afterEach(async () => {
    const problems = windows.splice(0).flatMap((window) => window.problems);
    await Promise.all(machines.splice(0).map((machine) => machine.close()));
    expect(problems, 'what went wrong in the pages').toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await line?.close();
  });

  const running = () => {
    if (browser === undefined || line === undefined) throw new Error('The browser runs only while tests run.');
    return { browser, line };
  };
  const machine = async () => {
    const context = await running().browser.newContext({
      viewport: { width: 1440, height: 860 },
      locale: 'zh-CN',
      timezoneId: 'Asia/Shanghai',
    });
    machines.push(context);
    return context;
  };
  const window = async (on?: BrowserContext) => {
    const page = await (on ?? (await machine())).newPage();
    const desk = new DeskPage(page, running().line.url);
    windows.push(desk);
    return desk;
  };
  return {
    get line() {
      return running().line;
    },
    machine,
    window,
    async signedIn(login) {
      const desk = await window();
      await desk.signIn(login);
      await desk.online();
      return desk;
    },
  };
}

/** Builds the pages where needed. To be called before `startHotline`: the service looks for them when it starts. */
export function builtPages(): void {
  beforeAll(buildPages);
}
