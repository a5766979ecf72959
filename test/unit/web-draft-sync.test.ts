import { describe, expect, it, vi } from 'vitest';
import type { DeskRequest, DraftView, OrderBody } from '../../src/desk/protocol.ts';
import { DraftSync } from '../../web/src/draft-sync.ts';
import { type DraftForm, emptyBody, type LocalCopy, savedState } from '../../web/src/lib/draft.ts';
import { localCopies, type StorageLike } from '../../web/src/lib/local-copies.ts';
import type { Outcome } from '../../web/src/lib/socket-types.ts';

const callId = '11111111-1111-4111-8111-111111111111';
const otherId = '22222222-2222-4222-8222-222222222222';
const text = (content: string): OrderBody => ({ ...emptyBody, content });

class MemoryStorage implements StorageLike {
  readonly #items = new Map<string, string>();
  full = false;
  get length(): number {
    return this.#items.size;
  }
  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.full) throw new Error('QuotaExceededError');
    this.#items.set(key, value);
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
}

/** The server's side of drafts: versions, conflicts, and a link that can be cut before or after the work. */
class DraftServer {
  readonly drafts = new Map<string, DraftView>();
  readonly asked: DeskRequest[] = [];
  link: 'up' | 'down' | 'loses replies' | 'refuses' = 'up';

  async request(request: DeskRequest): Promise<Outcome> {
    if (this.link === 'down') return { kind: 'notSent' };
    this.asked.push(request);
    await Promise.resolve();
    if (request.do !== 'saveDraft' && request.do !== 'saveOrder') throw new Error(`unexpected ${request.do}`);
    if (this.link === 'refuses') return { kind: 'refused', code: 'no', text: '不行', draft: undefined };
    const outcome = this.#save(request);
    return this.link === 'loses replies' ? { kind: 'unconfirmed' } : outcome;
  }

  #save(request: Extract<DeskRequest, { do: 'saveDraft' | 'saveOrder' }>): Outcome {
    const old = this.drafts.get(request.callId);
    if ((old?.version ?? 0) !== request.baseVersion)
      return { kind: 'refused', code: 'draft-conflict', text: '', draft: old };
    const draft: DraftView = {
      callId: request.callId,
      version: request.baseVersion + 1,
      body: request.body,
      orderId: request.do === 'saveOrder' ? 'order' : null,
      orderNo: request.do === 'saveOrder' ? '202603090001' : null,
    };
    this.drafts.set(request.callId, draft);
    return { kind: 'ok', draft };
  }
}

function setUp(storage = new MemoryStorage(), server = new DraftServer()) {
  const seen: { form: DraftForm | null; leftovers: readonly LocalCopy[]; noRoom: number } = {
    form: null,
    leftovers: [],
    noRoom: 0,
  };
  const sync = new DraftSync({
    copies: localCopies(storage, 'p1'),
    request: (request) => server.request(request),
    nowMs: () => Date.now(),
    onChange(form, leftovers) {
      seen.form = form;
      seen.leftovers = leftovers;
    },
    onNoRoom() {
      seen.noRoom += 1;
    },
    times: { debounceMs: 5, longestWaitMs: 30, retryMs: 5 },
  });
  return { storage, server, sync, seen };
}

const state = (form: DraftForm | null): string => (form === null ? 'none' : savedState(form));

describe('the form and the server', () => {
  it('sends after the last change, and not each letter', async () => {
    const { sync, server, seen } = setUp();
    sync.show(callId, null);
    for (const words of ['路', '路灯', '路灯坏']) sync.edit(text(words));
    await vi.waitFor(() => expect(state(seen.form)).toBe('saved'));
    expect(server.asked).toHaveLength(1);
    expect(server.drafts.get(callId)?.body.content).toBe('路灯坏');
  });

  it('does not put the saving off for ever while someone types on and on', async () => {
    const { sync, server } = setUp();
    sync.show(callId, null);
    let typed = '';
    const typing = setInterval(() => {
      typed += '字';
      sync.edit(text(typed));
    }, 2);
    await vi.waitFor(() => expect(server.asked.length).toBeGreaterThan(1));
    clearInterval(typing);
  });

  it('keeps a text here while the link is down and sends it when it is up again', async () => {
    const { sync, server, seen, storage } = setUp();
    sync.show(callId, null);
    server.link = 'down';
    sync.edit(text('路灯'));
    await vi.waitFor(() => expect(state(seen.form)).toBe('keptLocally'));
    expect(localCopies(storage, 'p1').get(callId)?.body?.content).toBe('路灯');
    server.link = 'up';
    sync.online();
    await vi.waitFor(() => expect(state(seen.form)).toBe('saved'));
    expect(storage.length).toBe(0);
  });

  it('recognises its own save whose reply was lost', async () => {
    const { sync, server, seen } = setUp();
    sync.show(callId, null);
    server.link = 'loses replies';
    sync.edit(text('甲'));
    await vi.waitFor(() => expect(server.drafts.get(callId)?.version).toBe(1));
    sync.edit(text('甲乙'));
    server.link = 'up';
    await vi.waitFor(() => expect(server.drafts.get(callId)?.body.content).toBe('甲乙'));
    expect(seen.form?.kept).toBeNull();
  });

  it('survives a reload at any moment', async () => {
    const first = setUp();
    first.sync.show(callId, null);
    first.server.link = 'down';
    first.sync.edit(text('没送到的字'));
    const second = setUp(first.storage, first.server);
    second.server.link = 'up';
    second.sync.show(callId, null);
    expect(second.seen.form?.body.content).toBe('没送到的字');
    await vi.waitFor(() => expect(second.server.drafts.get(callId)?.body.content).toBe('没送到的字'));
  });

  it('shows the newer draft of another window and brings the own text back on request', async () => {
    const { sync, server, seen } = setUp();
    sync.show(callId, null);
    const elsewhere: DraftView = { callId, version: 1, body: text('别处'), orderId: null, orderNo: null };
    server.drafts.set(callId, elsewhere);
    sync.edit(text('我的'));
    await vi.waitFor(() => expect(seen.form?.body.content).toBe('别处'));
    expect(seen.form?.kept?.content).toBe('我的');
    sync.restore();
    await vi.waitFor(() => expect(server.drafts.get(callId)?.body.content).toBe('我的'));
    expect(seen.form?.kept).toBeNull();
  });

  it('waits for a running save before it saves the order, and takes its number', async () => {
    const { sync, server, seen } = setUp();
    sync.show(callId, null);
    sync.edit(text('路灯'));
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    const outcome = await sync.saveOrder();
    expect(outcome.kind).toBe('ok');
    expect(seen.form).toMatchObject({ orderNo: '202603090001', version: 2 });
  });

  it('does not send a refused text again by itself', async () => {
    const { sync, server, seen } = setUp();
    sync.show(callId, null);
    server.link = 'refuses';
    sync.edit(text('路灯'));
    await vi.waitFor(() => expect(state(seen.form)).toBe('refused'));
    const asked = server.asked.length;
    server.link = 'up';
    sync.edit(text('路灯坏'));
    await vi.waitFor(() => expect(state(seen.form)).toBe('saved'));
    expect(server.asked).toHaveLength(asked + 1);
  });

  it('sends the text of the last call in the background when the next call comes', async () => {
    const { sync, server, seen, storage } = setUp();
    sync.show(callId, null);
    server.link = 'down';
    sync.edit(text('上一通'));
    sync.show(otherId, null);
    await vi.waitFor(() => expect(seen.leftovers).toHaveLength(1));
    expect(seen.form?.body).toEqual(emptyBody);
    server.link = 'up';
    sync.online();
    await vi.waitFor(() => expect(seen.leftovers).toHaveLength(0));
    expect(server.drafts.get(callId)?.body.content).toBe('上一通');
    expect(storage.length).toBe(0);
  });

  it('leaves a refused text of an earlier call to the person', async () => {
    const { sync, server, seen } = setUp();
    sync.show(callId, null);
    server.link = 'down';
    sync.edit(text('上一通'));
    server.link = 'refuses';
    sync.hide();
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    await vi.waitFor(() => expect(seen.leftovers).toHaveLength(1));
    sync.discardLeftover(callId);
    expect(seen.leftovers).toHaveLength(0);
  });

  it('does not remove the copy of another window that is still typing', async () => {
    const typing = setUp();
    typing.sync.show(callId, null);
    typing.server.link = 'down';
    const idle = setUp(typing.storage, typing.server);
    idle.sync.show(callId, null);
    typing.sync.edit(text('正在输入'));
    idle.sync.pushed({ callId, version: 1, body: text('正'), orderId: null, orderNo: null });
    expect(localCopies(typing.storage, 'p1').get(callId)?.body?.content).toBe('正在输入');
  });

  it('says so when the browser has no room, and still saves to the server', async () => {
    const { sync, storage, server, seen } = setUp();
    storage.full = true;
    sync.show(callId, null);
    sync.edit(text('路灯'));
    await vi.waitFor(() => expect(server.drafts.get(callId)?.body.content).toBe('路灯'));
    expect(seen.noRoom).toBeGreaterThan(0);
  });
});

describe('copies on this machine', () => {
  it('belong to one person, come oldest first, and skip what is not ours', () => {
    const storage = new MemoryStorage();
    const mine = localCopies(storage, 'p1');
    const copy = (id: string, changedAtMs: number): LocalCopy => ({
      callId: id,
      baseVersion: 0,
      body: text(id),
      unsure: [],
      kept: null,
      changedAtMs,
    });
    mine.put(copy(callId, 2));
    mine.put(copy(otherId, 1));
    localCopies(storage, 'p2').put(copy('x', 0));
    storage.setItem('yht.draft.p1.broken', '{"callId":');
    storage.setItem('something else', '1');
    expect(mine.all().map((one) => one.callId)).toEqual([otherId, callId]);
    expect(mine.get('broken')).toBeNull();
  });
});
