import { describe, expect, it } from 'vitest';
import type { DeskCall, DeskPush, DraftView, SeatStatusView } from '../../src/desk/protocol.ts';
import { applyPush, type DeskState, emptyDesk, formCallAfter, isDeskDone } from '../../web/src/lib/desk-state.ts';
import { emptyBody } from '../../web/src/lib/draft.ts';

const seat: SeatStatusView = {
  status: 'ready',
  reason: null,
  sinceMs: 0,
  wrapUpEndsAtMs: null,
  phoneRegistered: true,
};
const card = {
  number: '138****5678',
  callerName: '',
  dialledNumber: '12345',
  hotlineName: '政务服务便民热线',
  queueName: '综合',
  waitedMs: 0,
  earlierCalls: [],
  openOrders: [],
};
const call = (callId: string, state: DeskCall['state'], as: DeskCall['as'] = 'agent'): DeskCall => ({
  callId,
  as,
  state,
  stateSinceMs: 0,
  startedAtMs: 0,
  card,
  consult: null,
  actions: [],
  recording: false,
  recordingLost: false,
});
const draft = (callId: string, version: number): DraftView => ({
  callId,
  version,
  body: emptyBody,
  orderId: null,
  orderNo: null,
});
const deskAfter = (...pushes: DeskPush[]): DeskState => pushes.reduce(applyPush, emptyDesk);

describe('the desk after pushes', () => {
  it('shows an offer, follows the call, and keeps the ended call', () => {
    const desk = deskAfter(
      { type: 'offer', call: call('a', 'ringing'), draft: null },
      { type: 'call', call: call('a', 'talking') },
      { type: 'draft', draft: draft('a', 1) },
      { type: 'call', call: call('a', 'ended') },
    );
    expect(desk.call?.state).toBe('ended');
    expect(desk.draft?.version).toBe(1);
  });

  it('takes a gone offer away, and only that one', () => {
    const offer: DeskPush = { type: 'offer', call: call('a', 'ringing'), draft: null };
    expect(deskAfter(offer, { type: 'offerGone', callId: 'a', reason: '' }).call).toBeNull();
    expect(deskAfter(offer, { type: 'offerGone', callId: 'b', reason: '' }).call?.callId).toBe('a');
  });

  it('does not let the late end of an earlier call push the present one away', () => {
    const desk = deskAfter(
      { type: 'offer', call: call('b', 'ringing'), draft: null },
      { type: 'call', call: call('a', 'ended') },
    );
    expect(desk.call?.callId).toBe('b');
  });

  it('takes only drafts of its own call', () => {
    const desk = deskAfter(
      { type: 'offer', call: call('a', 'ringing'), draft: draft('a', 1) },
      { type: 'draft', draft: draft('b', 9) },
    );
    expect(desk.draft).toEqual(draft('a', 1));
  });

  it('is the same when a push is handled twice', () => {
    const pushes: DeskPush[] = [
      { type: 'seat', seat },
      { type: 'offer', call: call('a', 'ringing'), draft: null },
      { type: 'call', call: call('a', 'held') },
      { type: 'today', today: [] },
      { type: 'live', live: [] },
      { type: 'notice', level: 'info', text: '' },
    ];
    let desk = emptyDesk;
    for (const push of pushes) {
      desk = applyPush(desk, push);
      expect(applyPush(desk, push)).toEqual(desk);
    }
  });
});

describe('the form on show', () => {
  const snapshot = (shown: DeskCall | null, itsDraft: DraftView | null): DeskPush => ({
    type: 'snapshot',
    person: { id: 'p', name: '张', role: 'agent', extension: '8001' },
    seat,
    call: shown,
    draft: itsDraft,
    today: [],
    live: [],
  });

  it('comes with the offer, stays after the end, and changes with the next offer', () => {
    expect(formCallAfter({ type: 'offer', call: call('a', 'ringing'), draft: null }, null)).toBe('a');
    expect(formCallAfter({ type: 'call', call: call('a', 'ended') }, 'a')).toBe('a');
    expect(formCallAfter({ type: 'offer', call: call('b', 'ringing'), draft: null }, 'a')).toBe('b');
    expect(formCallAfter({ type: 'offerGone', callId: 'b', reason: '' }, 'b')).toBeNull();
  });

  it('is not opened by a late end, nor at the sub-centre', () => {
    expect(formCallAfter({ type: 'call', call: call('a', 'ended') }, null)).toBeNull();
    expect(formCallAfter({ type: 'offer', call: call('a', 'ringing', 'subcentre'), draft: null }, null)).toBeNull();
  });

  it('is found again from a snapshot, and not lost by an empty one', () => {
    expect(formCallAfter(snapshot(call('a', 'talking'), null), null)).toBe('a');
    expect(formCallAfter(snapshot(null, draft('c', 2)), null)).toBe('c');
    expect(formCallAfter(snapshot(null, null), 'a')).toBe('a');
  });

  it('is done with when the order is saved and the seat is free', () => {
    const desk = deskAfter({ type: 'seat', seat }, { type: 'call', call: call('a', 'ended') });
    expect(isDeskDone(desk, { orderId: 'o', dirty: false })).toBe(true);
    expect(isDeskDone(desk, { orderId: 'o', dirty: true })).toBe(false);
    expect(isDeskDone(desk, { orderId: null, dirty: false })).toBe(false);
    const wrappingUp = applyPush(desk, { type: 'seat', seat: { ...seat, status: 'wrapUp' } });
    expect(isDeskDone(wrappingUp, { orderId: 'o', dirty: false })).toBe(false);
  });
});
