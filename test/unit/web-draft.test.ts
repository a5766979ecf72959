import { describe, expect, it } from 'vitest';
import type { DraftView, OrderBody } from '../../src/desk/protocol.ts';
import {
  acknowledged,
  conflicted,
  type DraftForm,
  discardKept,
  edited,
  emptyBody,
  isDirty,
  localCopy,
  newerDraft,
  openForm,
  refused,
  restoreKept,
  savedState,
  startSending,
  unsent,
} from '../../web/src/lib/draft.ts';

const callId = '11111111-1111-4111-8111-111111111111';
const nowMs = 1_000_000;
const text = (content: string): OrderBody => ({ ...emptyBody, content });
const draft = (version: number, content: string, order: Partial<DraftView> = {}): DraftView => ({
  callId,
  version,
  body: text(content),
  orderId: null,
  orderNo: null,
  ...order,
});
const sent = (form: DraftForm): DraftForm => {
  const next = startSending(form);
  if (next === undefined) throw new Error('there was nothing to send');
  return next;
};
const fresh = openForm(callId, null, null);

describe('typing and saving', () => {
  it('goes from empty over unsaved and saving to saved', () => {
    expect(savedState(fresh)).toBe('empty');
    const typed = edited(fresh, text('路灯'));
    expect(savedState(typed)).toBe('unsaved');
    const sending = sent(typed);
    expect(savedState(sending)).toBe('saving');
    const saved = acknowledged(sending, draft(1, '路灯'), nowMs);
    expect(savedState(saved)).toBe('saved');
    expect(saved).toMatchObject({ version: 1, savedAtMs: nowMs, sending: null });
  });

  it('sends one save at a time and nothing when there is nothing new', () => {
    expect(startSending(fresh)).toBeUndefined();
    const sending = sent(edited(fresh, text('路灯')));
    expect(startSending(edited(sending, text('路灯坏了')))).toBeUndefined();
  });

  it('keeps what was typed while the save was on its way, and sends it on the new version', () => {
    const typedOn = edited(sent(edited(fresh, text('路灯'))), text('路灯坏了'));
    const saved = acknowledged(typedOn, draft(1, '路灯'), nowMs);
    expect(saved.body.content).toBe('路灯坏了');
    expect(isDirty(saved)).toBe(true);
    expect(sent(saved)).toMatchObject({ version: 1, sending: text('路灯坏了') });
  });

  it('says that a text is kept here while it is unsure, also while it is sent again', () => {
    const lost = unsent(sent(edited(fresh, text('路灯'))));
    expect(savedState(lost)).toBe('keptLocally');
    expect(savedState(sent(lost))).toBe('keptLocally');
    expect(savedState(acknowledged(sent(lost), draft(1, '路灯'), nowMs))).toBe('saved');
  });

  it('shows a refusal until the next save', () => {
    const no = refused(sent(edited(fresh, text('路灯'))), '该通话不在您的座席上');
    expect(savedState(no)).toBe('refused');
    expect(savedState(sent(edited(no, text('路灯坏了'))))).toBe('saving');
  });

  it('takes the number of the order with the draft', () => {
    const done = newerDraft(fresh, draft(1, '路灯', { orderId: 'o', orderNo: '202603090001' }), nowMs);
    expect(done).toMatchObject({ orderId: 'o', orderNo: '202603090001' });
  });
});

describe('drafts from elsewhere', () => {
  it('follows another window while nothing of ours is unsaved', () => {
    const form = newerDraft(openForm(callId, draft(1, '旧'), null), draft(2, '新'), nowMs);
    expect(form.body.content).toBe('新');
    expect(form.kept).toBeNull();
  });

  it('shows the newer text and keeps ours, which can be brought back and saved on top', () => {
    const mine = edited(openForm(callId, draft(1, '旧'), null), text('我的'));
    const form = conflicted(sent(mine), draft(2, '别处'), nowMs);
    expect(form.body.content).toBe('别处');
    expect(form.kept?.content).toBe('我的');
    const back = restoreKept(form);
    expect(back).toMatchObject({ kept: null, version: 2 });
    expect(sent(back).sending?.content).toBe('我的');
    expect(discardKept(form).kept).toBeNull();
  });

  it('ignores older versions and its own echo', () => {
    const form = openForm(callId, draft(3, '丙'), null);
    expect(newerDraft(form, draft(2, '乙'), nowMs)).toBe(form);
    expect(newerDraft(form, draft(3, '丙'), nowMs)).toEqual(form);
  });

  it('knows its own save by the text when the reply was lost, also after more typing and sending', () => {
    const first = unsent(sent(edited(fresh, text('甲'))));
    const second = unsent(sent(edited(first, text('甲乙'))));
    const typedOn = edited(second, text('甲乙丙'));
    const form = newerDraft(typedOn, draft(1, '甲'), nowMs);
    expect(form).toMatchObject({ version: 1, kept: null });
    expect(form.body.content).toBe('甲乙丙');
  });

  it('takes the push of its own save before the reply without losing later typing', () => {
    const typedOn = edited(sent(edited(fresh, text('甲'))), text('甲乙'));
    const pushed = newerDraft(typedOn, draft(1, '甲'), nowMs);
    const replied = acknowledged(pushed, draft(1, '甲'), nowMs);
    expect(replied).toMatchObject({ version: 1, kept: null, sending: null });
    expect(replied.body.content).toBe('甲乙');
  });

  it('does not let a late reply undo a newer draft', () => {
    const sending = sent(edited(fresh, text('甲')));
    const moved = newerDraft(newerDraft(sending, draft(1, '甲'), nowMs), draft(2, '别处'), nowMs);
    const replied = acknowledged(moved, draft(1, '甲'), nowMs);
    expect(replied).toMatchObject({ version: 2, sending: null });
    expect(replied.body.content).toBe('别处');
  });
});

describe('the copy on this machine', () => {
  it('exists while the server lacks something', () => {
    expect(localCopy(fresh, nowMs)).toBeNull();
    const typed = edited(fresh, text('甲'));
    expect(localCopy(typed, nowMs)).toMatchObject({ baseVersion: 0, body: text('甲'), kept: null });
    expect(localCopy(acknowledged(sent(typed), draft(1, '甲'), nowMs), nowMs)).toBeNull();
  });

  it('comes back after a reload when nothing else was saved since', () => {
    const copy = localCopy(edited(openForm(callId, draft(2, '甲'), null), text('甲乙')), nowMs);
    const form = openForm(callId, draft(2, '甲'), copy);
    expect(form.body.content).toBe('甲乙');
    expect(form.kept).toBeNull();
  });

  it('comes back after a reload in the middle of a save that reached the server', () => {
    const copy = localCopy(edited(sent(edited(fresh, text('甲'))), text('甲乙')), nowMs);
    const form = openForm(callId, draft(1, '甲'), copy);
    expect(form.body.content).toBe('甲乙');
    expect(form.version).toBe(1);
  });

  it('is kept beside a newer draft of another window', () => {
    const copy = localCopy(edited(fresh, text('我的')), nowMs);
    const form = openForm(callId, draft(3, '别处'), copy);
    expect(form.body.content).toBe('别处');
    expect(form.kept?.content).toBe('我的');
    // A second reload must not lose it either.
    expect(openForm(callId, draft(3, '别处'), localCopy(form, nowMs)).kept?.content).toBe('我的');
  });
});
