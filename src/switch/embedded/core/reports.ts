/** What the switch tells about itself on request. */
import type { Channel } from './channel.ts';
import { pathed } from './path.ts';
import type { SwitchCore } from './switch.ts';

/** A list as FreeSWITCH's `show … as json` gives it: `rows` is absent when there is none. */
function rowsJson(rows: ReadonlyArray<Record<string, string>>): string {
  return JSON.stringify(rows.length === 0 ? { row_count: 0 } : { row_count: rows.length, rows });
}

function channelRow(channel: Channel): Record<string, string> {
  const { identity } = channel;
  return {
    uuid: identity.uuid,
    direction: identity.direction,
    created: new Date(identity.createdAtMs).toISOString().slice(0, 19).replace('T', ' '),
    created_epoch: String(Math.floor(identity.createdAtMs / 1000)),
    name: identity.name,
    state: channel.state,
    cid_name: channel.callerName,
    cid_num: channel.callerNumber,
    ip_addr: channel.variables.get('sip_network_ip') ?? '',
    dest: channel.destination,
    application: channel.application,
    application_data: channel.applicationData,
    dialplan: 'XML',
    context: channel.context,
    callstate: channel.callState,
  };
}

/** `show channels as json`. */
export function showChannels(core: SwitchCore): string {
  return rowsJson([...core.context.channels.values()].map(channelRow));
}

/** `show registrations as json`. */
export function showRegistrations(core: SwitchCore): string {
  const { domain } = core.context.config();
  return rowsJson(
    core.registrar.all().map((binding) => ({
      reg_user: binding.user,
      realm: domain,
      token: binding.callId,
      url: `sofia/agents/${pathed(binding)}`,
      expires: String(Math.floor(binding.expiresAtMs / 1000)),
      network_ip: binding.flow.remoteAddress,
      network_port: String(binding.flow.remotePort),
      network_proto: binding.flow.protocol,
    })),
  );
}

/** `uuid_dump <uuid> json`. */
export function dumpChannel(channel: Channel): string {
  return JSON.stringify(Object.fromEntries([['Event-Name', 'CHANNEL_DATA'], ...channel.headers()]));
}

/** How long, as FreeSWITCH writes it; control reads it. */
function upText(upMs: number): string {
  const [days, hours, minutes, seconds] = [86_400_000, 3_600_000, 60_000, 1_000].map((ms) => Math.floor(upMs / ms));
  const part = (whole = 0, of = 1): number => whole % of;
  return (
    `UP 0 years, ${days} days, ${part(hours, 24)} hours, ${part(minutes, 60)} minutes, ` +
    `${part(seconds, 60)} seconds, ${Math.floor(upMs % 1000)} milliseconds, 0 microseconds`
  );
}

/** `status`: lines for people. */
export function statusText(core: SwitchCore): string {
  const { context, registrar, trunk, agents } = core;
  const lines = [
    upText(context.clock.now() - core.startedAtMs),
    'Yihaotong embedded switch is ready',
    `${context.counters.channels} session(s) since startup`,
    `${context.channels.size} session(s) - max ${context.config().limits.maxCalls}`,
    `${context.counters.overload} call(s) refused for overload`,
    `${context.conferences.size} conference(s)`,
    `${process.getActiveResourcesInfo().length} active resource(s)`,
    `${registrar.all().length} registration(s), ${registrar.bans.size} user(s) banned somewhere`,
  ];
  for (const { endpoint, dialogs } of [trunk, agents]) {
    const { received, malformed, strayResponses, dropped } = endpoint.counters;
    lines.push(
      `profile ${endpoint.name}: port ${endpoint.port}, ${received} message(s), ${malformed} malformed, ` +
        `${strayResponses} stray response(s), ${dropped} dropped, ${endpoint.transactions} transaction(s), ${dialogs} dialog(s)`,
    );
  }
  return `${lines.join('\n')}\n`;
}
