/** The commands of `api` and `bgapi` (docs/switch-contract.md, "Commands"). */
import { errorChain } from '../../../kernel/errors.ts';
import { bridge, transferBoth } from '../core/bridge.ts';
import type { Channel } from '../core/channel.ts';
import { findMember, muteMember } from '../core/conference.ts';
import { MAX_GLOBALS } from '../core/context.ts';
import { answer, hangup } from '../core/lifecycle.ts';
import { parseOriginate } from '../core/originate-syntax.ts';
import { parkOf } from '../core/park.ts';
import { disarmFallbacks, HOUSE_CONTEXT, scheduleTransfer, transfer } from '../core/places.ts';
import { startRecording } from '../core/recording.ts';
import { dumpChannel, showChannels, showRegistrations, statusText } from '../core/reports.ts';
import type { SwitchCore } from '../core/switch.ts';

/** Takes the words after the command's name; gives the body of the answer. */
type Command = (core: SwitchCore, args: readonly string[], argument: string) => string | Promise<string>;

const OK = '+OK\n';
const NO_CHANNEL = '-ERR No such channel!\n';
/** What Node's timers can count. */
const LONGEST_TIMER_MS = 2_147_483_000;
const usage = (text: string): string => `-USAGE: ${text}\n`;

/** A command on one leg: looks the leg up first. */
function onLeg(run: (core: SwitchCore, channel: Channel, args: readonly string[], rest: string) => string): Command {
  return (core, args, argument) => {
    const channel = core.context.channels.get(args[0] ?? '');
    return channel === undefined ? NO_CHANNEL : run(core, channel, args, argument);
  };
}

const uuidBridge: Command = (core, args) => {
  const a = core.context.channels.get(args[0] ?? '');
  const b = core.context.channels.get(args[1] ?? '');
  if (a === undefined || b === undefined) return '-ERR Invalid uuid\n';
  return bridge(core.context, a, b) ? `+OK ${b.uuid}\n` : '-ERR Cannot bridge these legs\n';
};

const uuidTransfer = onLeg((core, channel, args) => {
  const both = args[1] === '-both';
  const [extension = '', dialplan = 'XML', place = HOUSE_CONTEXT] = args.slice(both ? 2 : 1);
  if (extension === '' || dialplan !== 'XML') return usage('<uuid> [-both] <extension> [XML [<context>]]');
  if (both) transferBoth(core.context, channel, extension, place);
  else transfer(core.context, channel, extension, place);
  return OK;
});

/** A time with `+` counts from now, without it from 1970; one that has passed is now. Whole seconds, as in FreeSWITCH. */
const schedTransfer: Command = (core, args) => {
  const [time = '', uuid = '', extension = '', dialplan = 'XML', place] = args;
  const match = /^(\+?)(\d{1,10})$/.exec(time);
  if (match === null || extension === '' || dialplan !== 'XML' || args.length > 5) {
    return usage('[+]<time> <uuid> <extension> [<dialplan>] [<context>]');
  }
  const channel = core.context.channels.get(uuid);
  if (channel === undefined) return NO_CHANNEL;
  const givenMs = Number(match[2]) * 1000;
  const delayMs = match[1] === '+' ? givenMs : Math.max(0, givenMs - core.context.clock.now());
  if (delayMs > LONGEST_TIMER_MS) return usage(`a time within ${LONGEST_TIMER_MS / 1000} seconds`);
  scheduleTransfer(core.context, channel, delayMs, extension, place ?? channel.context);
  return OK;
};

const uuidRecord: Command = (core, args, argument) => {
  const channel = core.context.channels.get(args[0] ?? '');
  if (channel === undefined) return '-ERR Cannot locate session!\n';
  const action = args[1] ?? '';
  // The path is all the rest of the line: it may hold spaces.
  const path = argument.split(/\s+/).slice(2).join(' ');
  const success = '+OK Success\n';
  if (action === 'start') {
    const stereo = channel.variables.get('RECORD_STEREO') === 'true';
    const started = startRecording(core.context, channel, { path, stereo, maxDurationMs: 0 });
    return started ? success : '-ERR Cannot record session!\n';
  }
  const { media } = channel;
  if (action === 'stop') return media?.stopRecording(path) === true ? success : '-ERR Cannot stop record session!\n';
  if (action === 'mask' || action === 'unmask') {
    const done = media?.maskRecording(path, action === 'mask') === true;
    return done ? success : `-ERR Cannot ${action} record session!\n`;
  }
  return usage('<uuid> [start|stop|mask|unmask] <path>');
};

const uuidSetVariable = onLeg((_core, channel, args, argument) => {
  const name = args[1] ?? '';
  if (!/^[\w.-]{1,100}$/.test(name)) return usage('<uuid> <name> [<value>]');
  const value = argument.split(/\s+/).slice(2).join(' ');
  if (value === '') channel.variables.delete(name);
  else channel.variables.set(name, value);
  return OK;
});

const show: Command = (core, _args, argument) => {
  if (argument === 'channels as json') return showChannels(core);
  if (argument === 'registrations as json') return showRegistrations(core);
  return usage('channels|registrations as json');
};

const conference: Command = (core, args) => {
  const [name = '', action = '', memberText = ''] = args;
  if (!core.context.conferences.has(name)) return `-ERR Conference ${name} not found\n`;
  const channel = /^\d{1,9}$/.test(memberText) ? findMember(core.context, name, Number(memberText)) : undefined;
  if (channel === undefined) return `-ERR Non-Existant ID ${memberText}\n`;
  if (action === 'mute' || action === 'unmute') {
    muteMember(core.context, name, Number(memberText), action === 'mute');
    return `+OK ${action} ${memberText}\n`;
  }
  if (action !== 'kick') return usage('<name> kick|mute|unmute <member>');
  // What follows the conference in the dialplan: `transfer parked`.
  transfer(core.context, channel, 'parked', HOUSE_CONTEXT);
  return `+OK kicked ${memberText}\n`;
};

const originate: Command = async (core, _args, argument) => {
  const order = parseOriginate(argument);
  return order.ok ? `${await core.originate(order.value)}\n` : `-ERR ${order.error}\n`;
};

const setGlobal: Command = (core, _args, argument) => {
  const { globals } = core.context;
  const [name = '', value = ''] = argument.split('=');
  if (name === '') return usage('<var>=<value>');
  if (value === '') globals.delete(name);
  else if (globals.size < MAX_GLOBALS || globals.has(name)) globals.set(name, value);
  else return '-ERR too many variables\n';
  return '+OK';
};

/** `bgapi [uuid:<job>] <command>`; FreeSWITCH has it beside the Event Socket's own verb of that name. */
const bgapi: Command = (core, _args, argument) => {
  const [, wanted, command = ''] = /^(?:uuid:(\S{1,36})\s+)?(.*)$/s.exec(argument) ?? [];
  if (command === '') return '-ERR Invalid syntax\n';
  const jobUuid = wanted ?? core.context.ids.uuid();
  startJob(core, jobUuid, command);
  return `+OK Job-UUID: ${jobUuid}\n`;
};

const commands: Readonly<Record<string, Command>> = {
  bgapi,
  uuid_answer: (core, args) => {
    const channel = core.context.channels.get(args[0] ?? '');
    return channel !== undefined && answer(core.context, channel) ? OK : '-ERROR\n';
  },
  uuid_kill: onLeg((core, channel, args) => {
    hangup(core.context, channel, args[1] ?? 'NORMAL_CLEARING');
    return OK;
  }),
  uuid_bridge: uuidBridge,
  uuid_transfer: uuidTransfer,
  uuid_park: onLeg((core, channel) => {
    transfer(core.context, channel, 'parked', HOUSE_CONTEXT);
    return OK;
  }),
  uuid_break: onLeg((_core, channel) => {
    parkOf(channel)?.applications.breakAll();
    return OK;
  }),
  uuid_record: uuidRecord,
  uuid_setvar: uuidSetVariable,
  uuid_getvar: onLeg((_core, channel, args) => channel.variables.get(args[1] ?? '') ?? '_undef_'),
  uuid_exists: (core, args) => String(core.context.channels.has(args[0] ?? '')),
  uuid_dump: onLeg((_core, channel) => dumpChannel(channel)),
  sched_del: (core, args) => {
    const channel = core.context.channels.get(args[0] ?? '');
    return `+OK Deleted: ${channel === undefined ? 0 : disarmFallbacks(channel)}\n`;
  },
  sched_transfer: schedTransfer,
  global_setvar: setGlobal,
  global_getvar: (core, _args, argument) => core.context.globals.get(argument) ?? '-ERR no reply\n',
  // FreeSWITCH says `+OK` whatever it has read; the brackets tell.
  reloadxml: (core) => `+OK [${core.readSettings()}]\n`,
  reloadacl: (core) => {
    core.registrar.bans.load(core.context.globals);
    return '+OK acl reloaded\n';
  },
  show,
  conference,
  originate,
  status: (core) => statusText(core),
  version: () => 'Yihaotong embedded switch 0.1.0\n',
};

/** Runs a command line in the background: its answer is the body of a BACKGROUND_JOB event. */
export function startJob(core: SwitchCore, jobUuid: string, line: string): void {
  const { context } = core;
  const [name, argument] = split(line);
  const finish = (body: string): void => {
    context.events.emit('BACKGROUND_JOB', () => ({
      headers: [
        ['Job-UUID', jobUuid],
        ['Job-Command', name],
        ['Job-Command-Arg', argument],
      ],
      body,
    }));
  };
  // The answer that the job was taken goes first.
  Promise.resolve()
    .then(() => runCommand(core, line))
    .then(finish, (error: unknown) => {
      context.log.error({ command: name, error: errorChain(error) }, 'a background command failed');
      finish('-ERR NORMAL_TEMPORARY_FAILURE\n');
    });
}

/** Runs one command line; an unknown one is answered as FreeSWITCH answers it. */
export function runCommand(core: SwitchCore, line: string): string | Promise<string> {
  const [name, argument] = split(line);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return `-ERR ${name} Command not found!\n`;
  return command(core, argument === '' ? [] : argument.split(/\s+/), argument);
}

/** The command's name and all that follows it. */
function split(line: string): [name: string, argument: string] {
  const trimmed = line.trim();
  const space = trimmed.search(/\s/);
  return space === -1 ? [trimmed, ''] : [trimmed.slice(0, space), trimmed.slice(space).trim()];
}
