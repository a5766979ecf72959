/** One window of a desk in a real browser, in the words of the person who sits before it. */
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { DeskCall, SeatStatusView } from '../../../src/desk/protocol.ts';
import { demoPassword } from '../hotline/hotline.ts';

const withinMs = 8000;
/** Where pictures of the pages are put, for people to look at; without it none are taken. */
const picturesFolder = process.env.WEB_PICTURES;

type Button = 'hold' | 'resume' | 'hangup' | 'consult' | 'cancel-consult' | 'three-way' | 'transfer' | 'leave';
export type TextField = 'citizen' | 'contact' | 'address' | 'content' | 'category' | 'unit';

export class DeskPage {
  readonly page: Page;
  readonly #url: string;
  readonly #problems: string[] = [];
  /** A page breaks its icon off when it is left, and its player what it has asked for when it wants another part. */
  readonly #foreseen: RegExp[] = [/\/(favicon\.svg|recording) net::ERR_ABORTED/];

  /** @param url where the line to the service begins */
  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.setDefaultTimeout(withinMs);
    page.on('console', (message) => {
      if (message.type() === 'error') this.#problems.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => this.#problems.push(`exception: ${error.message}`));
    page.on('requestfailed', (request) =>
      this.#problems.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText ?? ''}`),
    );
    page.on('response', (response) => {
      if (response.status() >= 400) this.#problems.push(`status ${response.status()}: ${response.url()}`);
    });
  }

  /** What went wrong in the page and was not foreseen: console errors, policy violations, failed requests. */
  get problems(): string[] {
    return this.#problems.filter((problem) => !this.#foreseen.some((pattern) => pattern.test(problem)));
  }

  /** Says that this is part of the test, e.g. the answer to a wrong password. */
  foresee(...patterns: RegExp[]): void {
    this.#foreseen.push(...patterns);
  }

  /** What the browser says while the line is cut; it can't be kept from saying so. */
  foreseeOutage(): void {
    this.foresee(/WebSocket connection to .* failed/, /net::ERR_/);
  }

  async open(path = '/'): Promise<void> {
    await this.page.goto(`${this.#url}${path}`);
  }

  /** Opens the page as somebody whom the browser doesn't know, and signs in. */
  async signIn(login: string, password = demoPassword): Promise<void> {
    // A fresh page asks who is signed in; the answer «nobody» has the status 401.
    this.foresee(/401.*\/api\/session/);
    await this.open();
    await this.at('login-form').waitFor();
    await this.submitSignIn(login, password);
  }

  async submitSignIn(login: string, password: string): Promise<void> {
    await this.at('login-name').fill(login);
    await this.at('login-password').fill(password);
    await this.at('login-submit').click();
  }

  /** The element with this data-testid; of an input, the input itself. */
  at(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  async online(waitMs = withinMs): Promise<void> {
    await this.page.locator('[data-testid="socket-light"][data-tone="good"]').waitFor({ timeout: waitMs });
  }

  async offline(): Promise<void> {
    await this.page.locator('[data-testid="socket-light"][data-tone="bad"]').waitFor({ timeout: 12_000 });
  }

  async phone(tone: 'good' | 'bad'): Promise<void> {
    await this.page.locator(`[data-testid="phone-light"][data-tone="${tone}"]`).waitFor();
  }

  async seat(status: SeatStatusView['status'], waitMs = withinMs): Promise<void> {
    await this.page.locator(`[data-testid="seat-status"][data-status="${status}"]`).waitFor({ timeout: waitMs });
  }

  /** Takes calls from now on; the seat outlives the windows, so it may have been ready before. */
  async ready(): Promise<void> {
    const now = this.page.locator('[data-testid="seat-status"][data-status="ready"]');
    const button = this.page.locator('[data-testid="seat-ready"]:enabled, [data-testid="wrapup-end"]:enabled');
    await now.or(button).first().waitFor();
    if ((await now.count()) === 0) await button.click();
    await this.seat('ready');
  }

  /** Waits until the page shows the call in this state. */
  async call(state: DeskCall['state'], waitMs = withinMs): Promise<void> {
    await this.page.locator(`[data-testid="call-state"][data-state="${state}"]`).waitFor({ timeout: waitMs });
  }

  async press(button: Button): Promise<void> {
    await this.at(`btn-${button}`).click();
  }

  /** Chooses a hotline in the picker, as one types its number. */
  async pick(purpose: 'consult' | 'transfer', number: string): Promise<void> {
    await this.press(purpose);
    await this.at('target-picker').waitFor();
    await this.at(`target-${number}`).waitFor();
    await this.at('target-search').fill(number);
    await this.page.locator(`[data-testid="target-${number}"][aria-selected="true"]`).waitFor();
    await this.page.keyboard.press('Enter');
    await this.at('target-picker').waitFor({ state: 'hidden' });
  }

  /** Types as a person does, key by key. */
  async type(field: TextField, text: string): Promise<void> {
    await this.at(`order-${field}`).click();
    await this.page.keyboard.press('End');
    await this.at(`order-${field}`).pressSequentially(text);
  }

  async matter(type: string): Promise<void> {
    await this.at(`order-type-${type}`).click();
  }

  /** What stands in a field of the form. */
  text(field: TextField): Promise<string> {
    return this.at(`order-${field}`).inputValue();
  }

  async draft(state: 'saved' | 'unsaved' | 'keptLocally' | 'empty', waitMs = withinMs): Promise<void> {
    await this.page.locator(`[data-testid="order-saved-state"][data-state="${state}"]`).waitFor({ timeout: waitMs });
  }

  /** A line that the page shows for a moment. */
  async told(words: string): Promise<void> {
    await this.page.locator('.el-message', { hasText: words }).first().waitFor();
  }

  /** Takes a picture where pictures are wanted. */
  async picture(name: string): Promise<void> {
    if (picturesFolder === undefined) return;
    await this.page.screenshot({ path: join(picturesFolder, `${name}.png`), animations: 'disabled' });
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
