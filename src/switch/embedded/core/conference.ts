/** Conferences: everybody in one room, each coming and going told as conference::maintenance. */
import type { Activity, Channel } from './channel.ts';
import type { SwitchContext } from './context.ts';
import { answer } from './lifecycle.ts';

const PROFILE = 'yihaotong';

interface ConferenceActivity extends Activity {
  readonly kind: 'conference';
  readonly name: string;
  readonly memberId: number;
}

function emitMaintenance(
  context: SwitchContext,
  action: string,
  name: string,
  member?: { readonly id: number; readonly channel: Channel },
): void {
  const size = context.conferences.get(name)?.size ?? 0;
  context.events.emit(
    'CUSTOM',
    () => ({
      headers: [
        ['Action', action],
        ['Conference-Name', name],
        ['Conference-Size', String(size)],
        ['Conference-Profile-Name', PROFILE],
        ...(member === undefined ? [] : [['Member-ID', String(member.id)] as const, ...member.channel.headers()]),
      ],
    }),
    'conference::maintenance',
  );
}

/** Those for whom a citizen is in a conference. */
const works = (channel: Channel): boolean => channel.variables.get('yht_role') !== 'citizen';

/**
 * The last of those who work here has left a citizen: if nobody takes him out, or comes in, the conference ends after a
 * while and he goes on in the dialplan.
 */
function endSoon(context: SwitchContext, name: string, members: Map<number, Channel>, goOn: GoOn): void {
  context.clock.setTimer(context.config().aloneInConferenceMs, () => {
    if (context.conferences.get(name) !== members) return;
    const left = [...members.values()];
    if (!left.some(works)) for (const channel of left) goOn(channel);
  });
}

function leaveConference(context: SwitchContext, channel: Channel, name: string, id: number, goOn: GoOn): void {
  const members = context.conferences.get(name);
  members?.delete(id);
  channel.application = '';
  channel.applicationData = '';
  channel.media?.setMuted(false);
  channel.media?.route({ kind: 'silent' });
  emitMaintenance(context, 'del-member', name, { id, channel });
  if (members === undefined) return;
  if (members.size > 0) {
    if (works(channel) && ![...members.values()].some(works)) endSoon(context, name, members, goOn);
    return;
  }
  context.conferences.delete(name);
  emitMaintenance(context, 'conference-destroy', name);
}

/** Where a member goes whose conference has ended. */
type GoOn = (channel: Channel) => void;

/** Puts a leg that has left what it did before into a conference; an unanswered caller is answered. */
export function joinConference(context: SwitchContext, channel: Channel, name: string, goOn: GoOn): void {
  if (channel.ended) return;
  answer(context, channel);
  let members = context.conferences.get(name);
  if (members === undefined) {
    members = new Map();
    context.conferences.set(name, members);
    emitMaintenance(context, 'conference-create', name);
  }
  context.counters.members += 1;
  const id = context.counters.members;
  members.set(id, channel);
  channel.state = 'CS_EXECUTE';
  channel.application = 'conference';
  channel.applicationData = `${name}@${PROFILE}`;
  channel.variables.set('conference_name', name);
  channel.variables.set('conference_member_id', String(id));
  channel.media?.route({ kind: 'conference', conference: context.media.conference(name) });
  const activity: ConferenceActivity = {
    kind: 'conference',
    name,
    memberId: id,
    leave: () => leaveConference(context, channel, name, id, goOn),
  };
  channel.activity = activity;
  emitMaintenance(context, 'add-member', name, { id, channel });
}

/** Mutes a member, or lets it be heard again. */
export function muteMember(context: SwitchContext, name: string, id: number, muted: boolean): void {
  const channel = findMember(context, name, id);
  if (channel === undefined) return;
  channel.media?.setMuted(muted);
  emitMaintenance(context, muted ? 'mute-member' : 'unmute-member', name, { id, channel });
}

/** The leg behind a member number. */
export function findMember(context: SwitchContext, name: string, id: number): Channel | undefined {
  return context.conferences.get(name)?.get(id);
}
