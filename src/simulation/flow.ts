import type { Flow } from '../domain/ivr/flow.ts';

/** A flow with one of each kind of step. */
export const menuFlow: Flow = {
  id: 'menu',
  title: '模拟流程',
  start: 'welcome',
  operatorDigit: '0',
  operatorQueue: 'citizen',
  steps: {
    welcome: {
      kind: 'menu',
      prompts: ['greeting-menu'],
      choices: { '1': 'transfer', '2': 'hours', '9': 'goodbye' },
      timeoutMs: 4_000,
      maxTries: 2,
      noInput: ['no-input'],
      wrongInput: ['wrong-input'],
      giveUp: 'transfer',
    },
    hours: { kind: 'say', prompts: ['info-hours'], next: 'welcome', interruptible: true },
    transfer: { kind: 'say', prompts: ['transferring'], next: 'person', interruptible: false },
    goodbye: { kind: 'hangup', prompts: ['goodbye'] },
    person: { kind: 'queue', queue: 'citizen' },
  },
};

/** Straight to the queue. */
export const directFlow: Flow = {
  id: 'direct',
  title: '直达',
  start: 'person',
  operatorDigit: '0',
  operatorQueue: 'citizen',
  steps: { person: { kind: 'queue', queue: 'citizen' } },
};
