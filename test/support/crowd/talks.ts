/** What those who talk hear while something dies. */
import { type Gaps, GapWatch } from '../phone/gaps.ts';
import type { PhoneMedia } from '../phone/media.ts';
import type { Crowd } from './crowd.ts';
import { tones } from './seat.ts';

/**
 * What dies takes its part in a conversation away for seconds at least. A machine that starts processes while it carries
 * a hundred calls on two cores makes shorter pauses by itself; how long they are is what the benchmark tells.
 */
const noticedMs = 300;
/** Both switches throw late packets away where a whole burst of them comes from a phone that was held up itself. */
const leastHeard = 0.9;

/** Watches every line on which two talk, with or without a supervisor, and those who consult. */
export function watchTalks(crowd: Crowd): GapWatch {
  const watch = new GapWatch();
  const both = (who: readonly [string, string], one: Talker, other: Talker): void => {
    watch.add(who[0], one.media, other.hz, other.media);
    watch.add(who[1], other.media, one.hz, one.media);
  };
  for (const { number, citizen, agent, subcentre, state } of crowd.attended) {
    if (agent === undefined) continue;
    const asked: Talker = { media: agent.call.parts.media, hz: tones.agent };
    if (state === 'talking' || state === 'supervised') {
      const caller = { media: citizen.parts.media, hz: tones.citizen };
      both([`citizen ${number}`, `agent of ${number}`], caller, asked);
    }
    if (state === 'consulting' && subcentre !== undefined) {
      const far = { media: subcentre.parts.media, hz: tones.subcentre };
      both([`sub-centre for ${number}`, `agent who asks for ${number}`], far, asked);
    }
  }
  return watch;
}

interface Talker {
  readonly media: PhoneMedia;
  readonly hz: number;
}

/** The lines on which somebody would have noticed something. What held this very process up is not held against them. */
export function noticed({ lines, stallMs }: Gaps): string[] {
  return lines.flatMap(({ who, longestMs, heard, sent }) => {
    const told = `${who}: ${Math.round(longestMs)} ms without sound, ${heard} of ${sent} packets`;
    return longestMs > noticedMs + 2 * stallMs || heard < leastHeard * sent ? [told] : [];
  });
}

export const longestGapMs = ({ lines }: Gaps): number => Math.max(0, ...lines.map(({ longestMs }) => longestMs));
