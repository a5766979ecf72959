import type { DeskAction, DeskPush, DeskRequest } from '@desk/protocol';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { startAttention, stopAttention } from '../attention.ts';
import { applyPush, emptyDesk, formCallAfter, isDeskDone, isLive } from '../lib/desk-state.ts';
import type { LinkStatus, Outcome } from '../lib/socket-types.ts';
import { nowMs } from '../now.ts';
import { DeskSocket } from '../socket.ts';
import { texts } from '../texts.ts';
import { toast } from '../toast.ts';
import { useOrderStore } from './order.ts';
import { useSessionStore } from './session.ts';

/** The desk: what the server pushed, the link's state, and the requests of the page. */
export const useDeskStore = defineStore('desk', () => {
  const order = useOrderStore();
  const session = useSessionStore();
  const desk = shallowRef(emptyDesk);
  const link = ref<LinkStatus>('connecting');
  const offsetMs = ref(0);
  /** What was asked and has no reply yet, for the buttons. */
  const asked = ref<string | null>(null);
  let socket: DeskSocket | undefined;

  const call = computed(() => desk.value.call);
  const seat = computed(() => desk.value.seat);
  /** The server's time, by this machine's clock and the difference that the welcome told. */
  const serverNowMs = computed(() => nowMs.value + offsetMs.value);
  const ringing = computed(() => call.value?.state === 'ringing');
  const live = computed(() => isLive(call.value));

  function start(personId: string): void {
    stop();
    order.start(personId, (request) => send(request));
    const url = `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/desk`;
    socket = new DeskSocket(() => new WebSocket(url), {
      onStatus,
      onWelcome: (nextOffsetMs) => {
        offsetMs.value = nextOffsetMs;
      },
      onPush,
      onProblem: (text, details) => console.warn(text, details ?? ''),
    });
    window.addEventListener('online', nudge);
    document.addEventListener('visibilitychange', nudge);
    socket.start();
  }

  function stop(): void {
    window.removeEventListener('online', nudge);
    document.removeEventListener('visibilitychange', nudge);
    socket?.close();
    socket = undefined;
    order.stop();
    stopAttention();
    desk.value = emptyDesk;
    link.value = 'connecting';
    asked.value = null;
  }

  function nudge(): void {
    if (!document.hidden) socket?.nudge();
  }

  function onStatus(status: LinkStatus): void {
    link.value = status;
    if (status === 'online') order.online();
    if (status === 'signedOut') session.left();
  }

  function onPush(push: DeskPush): void {
    desk.value = applyPush(desk.value, push);
    if (push.type === 'notice') toast(push.level, push.text);
    if (push.type === 'offerGone') toast('info', texts.offer.gone(push.reason));
    bindForm(push);
    const card = ringing.value ? call.value?.card : undefined;
    if (push.type === 'offer' || push.type === 'snapshot') {
      if (card !== undefined) startAttention(card.number, `${card.hotlineName} · ${texts.call.answerOnPhone}`);
      else stopAttention();
    } else if (!ringing.value) {
      stopAttention();
    }
    tidy();
  }

  function bindForm(push: DeskPush): void {
    if (push.type === 'draft') {
      order.pushed(push.draft);
      return;
    }
    const shown = order.form?.callId ?? null;
    const next = formCallAfter(push, shown);
    if (next === null) {
      if (shown !== null) order.hide();
      return;
    }
    const bringsDraft = push.type === 'offer' || push.type === 'snapshot';
    const itsDraft = desk.value.draft?.callId === next ? desk.value.draft : null;
    // A snapshot without this call says nothing about its draft.
    const knows = bringsDraft && (itsDraft !== null || desk.value.call?.callId === next);
    if (next !== shown || knows) order.show(next, itsDraft);
  }

  /** Clears an ended call away when its order is saved and the seat does something else. */
  function tidy(): void {
    const form = order.form;
    const done = isDeskDone(desk.value, form === null ? null : { orderId: form.orderId, dirty: order.dirty });
    if (!done) return;
    desk.value = { ...desk.value, call: null, draft: null };
    order.hide();
  }

  async function send(request: DeskRequest): Promise<Outcome> {
    return socket === undefined ? { kind: 'notSent' } : socket.request(request);
  }

  /** Asks and tells the person in one line when it didn't work. @param name what the person asked for */
  async function ask(name: string, request: DeskRequest): Promise<boolean> {
    asked.value = request.do;
    const outcome = await send(request);
    if (asked.value === request.do) asked.value = null;
    tell(name, outcome);
    return outcome.kind === 'ok';
  }

  function tell(name: string, outcome: Outcome): void {
    if (outcome.kind === 'refused') toast('error', texts.outcome.refused(name, outcome.text));
    if (outcome.kind === 'unconfirmed') toast('warning', texts.outcome.unconfirmed(name));
    if (outcome.kind === 'notSent') toast('warning', texts.outcome.notSent(name));
  }

  /** Does something with the call of this desk, where the server allows it now. */
  async function act(action: DeskAction, number?: string): Promise<boolean> {
    const current = call.value;
    if (current === null || asked.value !== null || !current.actions.includes(action)) return false;
    const request = actionRequest(action, current.callId, number);
    return request === undefined ? false : ask(texts.actions[action], request);
  }

  return { desk, call, seat, link, asked, serverNowMs, ringing, live, start, stop, send, ask, act, tell, tidy };
});

function actionRequest(action: DeskAction, callId: string, number: string | undefined): DeskRequest | undefined {
  if (action !== 'consult' && action !== 'transfer') return { do: action, callId };
  return number === undefined ? undefined : { do: action, callId, number };
}
