import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = 'freeswitch-conf';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(xml|inc)$/.test(name) && !name.startsWith('generated'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
const read = (name: string): string => files.find((file) => file.name === name)?.text ?? '';

/** Every module that may be loaded, and what for. A module that nobody uses is a door that nobody watches. */
const modules: Readonly<Record<string, string>> = {
  mod_console: 'what goes wrong before the log is open',
  mod_logfile: 'the log',
  mod_event_socket: 'control’s door',
  mod_commands: 'uuid_*, originate, sched_*, show, status',
  mod_dptools: 'answer, park, playback, record_session, sleep, bridge and the other applications',
  mod_dialplan_xml: 'the dialplan',
  mod_sndfile: 'WAV files, played and recorded',
  mod_tone_stream: 'silence and ring-back',
  mod_local_stream: 'music for those who wait',
  mod_conference: 'three-way calls and supervisors',
  mod_spandsp: 'G.722',
  mod_sofia: 'SIP',
};

describe('the fixed half of FreeSWITCH’s configuration', () => {
  it('loads the modules that have a reason, and no other', () => {
    const loaded = [...read('autoload_configs/modules.conf.xml').matchAll(/<load module="([^"]+)"/g)].map(
      ([, one]) => one,
    );
    expect(loaded.toSorted()).toEqual(Object.keys(modules).toSorted());
  });

  it('holds no password: each is a variable of the generated half', () => {
    const set = files.flatMap(({ name, text }) =>
      [...text.matchAll(/name="[^"]*(?:password|secret|a1-hash)[^"]*"\s+value="([^"]*)"/gi)].map(([, value]) => [
        name,
        value,
      ]),
    );
    expect(set).toEqual([['autoload_configs/event_socket.conf.xml', '$${yht_esl_password}']]);
  });

  it('names none of the defaults that the world knows', () => {
    const known = /cluecon|default_password|works\b|cmd="set" data="[^"]*(?:password|secret)/i;
    expect(files.filter(({ text }) => known.test(text)).map(({ name }) => name)).toEqual([]);
  });

  it('has the Event Socket listen where the generated half says, and lets control alone in', () => {
    const socket = read('autoload_configs/event_socket.conf.xml');
    expect(socket).toContain('name="listen-ip" value="$${yht_esl_ip}"');
    expect(socket).toContain('name="apply-inbound-acl" value="control"');
    expect(socket).toContain('name="stop-on-bind-error" value="true"');
  });

  it('registers nobody and serves no call without a password or a known address', () => {
    expect(read('sip_profiles/trunk.xml')).toContain('name="apply-inbound-acl" value="carriers"');
    expect(read('sip_profiles/agents.xml')).toContain('name="auth-calls" value="true"');
    for (const { text } of files) expect(text).not.toMatch(/name="accept-blind-(?:reg|auth)" value="true"/);
  });
});
