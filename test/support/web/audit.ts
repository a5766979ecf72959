/** What a screen reader would find wrong on a page: the first things that accessibility checkers look for. */
import type { Page } from 'playwright-core';

/** Roles that people act on or read by; without a name they are only «button». */
const namedRoles =
  'alertdialog|button|checkbox|combobox|dialog|form|link|listbox|menuitem|radio|radiogroup|region|textbox|toolbar';
const nameless = new RegExp(`^\\s*- (?:${namedRoles})(?![\\w-])(?! ")`);

/** The faults found, each in one line; empty is good. */
export async function faultsOf(page: Page): Promise<string[]> {
  const faults: string[] = [];
  const tree = await page.locator('body').ariaSnapshot();
  for (const line of tree.split('\n')) if (nameless.test(line)) faults.push(`no name: ${line.trim()}`);
  for (const image of await page.locator('img:not([alt])').all()) {
    faults.push(`image without words: ${await image.getAttribute('src')}`);
  }
  if ((await page.locator('html').getAttribute('lang')) !== 'zh-CN') faults.push('the document has no language');
  if ((await page.title()) === '') faults.push('the document has no title');
  if ((await page.getByRole('main').count()) !== 1) faults.push('there is not exactly one main part');
  const ids = await page.locator('[id]').evaluateAll((elements) => elements.map((element): string => element.id));
  for (const id of new Set(ids.filter((one, at) => ids.indexOf(one) !== at))) faults.push(`id ${id} stands twice`);
  const targets = await page
    .locator('label[for]')
    .evaluateAll((labels) => labels.map((label): string => label.getAttribute('for') ?? ''));
  for (const target of targets) if (!ids.includes(target)) faults.push(`label for ${target}, which is not there`);
  return faults;
}
