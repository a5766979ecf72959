/** RFC 4475 sections 3.2 to 3.4: sound grammar, odd for transactions or for those who serve it, or from old peers. */
import { sdp, type Torture, torture, tortureInvite } from './message.ts';

const party = (name: string, method: string, number = 1): string[] => [
  'To: sip:user@example.com',
  'From: sip:caller@example.org;tag=33242',
  'Max-Forwards: 70',
  `Call-ID: ${name}.sadonfo23i420jv0as0derf3j3n`,
  `CSeq: ${number} ${method}`,
  `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${name}kdjuw`,
];
const options = 'OPTIONS sip:user@example.com SIP/2.0';
const invite = 'INVITE sip:user@example.com SIP/2.0';
const register = 'REGISTER sip:example.com SIP/2.0';

export const oddTorture: readonly Torture[] = [
  torture('3.2.1', 'badbranch', [
    options,
    ...party('badbranch', 'OPTIONS', 8).slice(0, 5),
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK',
    'l: 0',
  ]),
  torture(
    '3.3.1',
    'insuf',
    [
      invite,
      'CSeq: 193942 INVITE',
      'Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf',
      'Content-Type: application/sdp',
    ],
    sdp('192.0.2.95'),
  ),
  torture('3.3.2', 'unkscm', [
    'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0',
    ...party('unkscm', 'OPTIONS'),
  ]),
  torture('3.3.3', 'novelsc', ['OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0', ...party('novelsc', 'OPTIONS')]),
  torture('3.3.4', 'unksm2', [
    register,
    'To: isbn:2983792873',
    'From: <http://www.example.com>;tag=3234233',
    ...party('unksm2', 'REGISTER', 234902).slice(2),
    'Contact: <name:John_Smith>',
  ]),
  torture('3.3.5', 'bext01', [
    options,
    ...party('bext01', 'OPTIONS'),
    'Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis',
    'Require: nothingSupportsThis, nothingSupportsThisEither',
  ]),
  torture(
    '3.3.6',
    'invut',
    [invite, ...party('invut', 'INVITE'), 'Content-Type: application/unknownformat'],
    '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n',
  ),
  torture('3.3.7', 'regaut01', [
    register,
    ...party('regaut01', 'REGISTER'),
    'Contact: <sip:j.user@host.example.com>',
    'Authorization: NoOneKnowsThisScheme opaque-data=here',
  ]),
  tortureInvite('3.3.8', 'multi01', invite, [
    'CSeq: 5 INVITE',
    'Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw',
    'Max-Forwards: 70',
    'CSeq: 59 INVITE',
    'Call-ID: multi01.98asdh@192.0.2.1',
    'Call-ID: multi01.98asdh@192.0.2.2',
    'From: sip:caller@example.com;tag=3413415',
    'To: sip:user@example.com',
    'To: sip:other@example.net',
    'From: sip:caller@example.net;tag=2923420123',
  ]),
  torture(
    '3.3.9',
    'mcl01',
    [options, ...party('mcl01', 'OPTIONS'), 'Content-Length: 13', 'Content-Length: 5'],
    'There’s no way to know how many octets are supposed to be here.\r\n',
  ),
  torture('3.3.10', 'bcast', [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923',
    'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
    ...party('bcast', 'INVITE').filter((line) => !line.startsWith('Via')),
  ]),
  torture('3.3.11', 'zeromf', [
    options,
    ...party('zeromf', 'OPTIONS').map((line) => line.replace('Max-Forwards: 70', 'Max-Forwards: 0')),
  ]),
  torture('3.3.12', 'cparam01', [
    register,
    ...party('cparam01', 'REGISTER'),
    'Contact: sip:+19725552222@gw1.example.net;unknownparam',
  ]),
  torture('3.3.13', 'cparam02', [
    register,
    ...party('cparam02', 'REGISTER'),
    'Contact: <sip:+19725552222@gw1.example.net;unknownparam>',
  ]),
  torture('3.3.14', 'regescrt', [
    register,
    ...party('regescrt', 'REGISTER'),
    'Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
  ]),
  tortureInvite('3.3.15', 'sdp01', invite, [...party('sdp01', 'INVITE'), 'Accept: text/nobodyKnowsThis']),
  tortureInvite('3.4.1', 'inv2543', 'INVITE sip:UserB@example.com SIP/2.0', [
    'Via: SIP/2.0/UDP iftgw.example.com',
    'From: <sip:+13035551111@ift.client.example.net;user=phone>',
    'Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>',
    'To: sip:+16505552222@ss1.example.net;user=phone',
    'Call-ID: inv2543.1717@ift.client.example.com',
    'CSeq: 56 INVITE',
  ]),
];
