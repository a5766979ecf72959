/** Two switch nodes behind Kamailio, as tests look at them. */
import type { SwitchUnderTest } from '../switch.ts';
import type { Hotline } from './hotline.ts';
import type { Talk } from './talking.ts';

interface NodeHealth {
  readonly name: string;
  readonly state: string;
  readonly legs: number;
}

/** What this service says of the node. */
export async function nodeHealth(
  hotline: Hotline,
  node: SwitchUnderTest,
  webUrl = hotline.webUrl,
): Promise<NodeHealth | undefined> {
  const body = (await (await fetch(`${webUrl}/healthz`)).json()) as { nodes: NodeHealth[] };
  const esl = node === hotline.switch ? node.esl : hotline.otherEsl;
  return body.nodes.find(({ name }) => name === `${esl.host}:${esl.port}`);
}

/** On which of the two nodes the phone's call is: the Record-Route leads to Kamailio, the Contact to the node. */
export function nodeOf(hotline: Hotline, contact: string): SwitchUnderTest {
  const nodes = [hotline.switch, hotline.otherSwitch];
  const node = nodes.find(
    ({ trunk, agents }) => contact.includes(`:${trunk.port}`) || contact.includes(`:${agents.port}`),
  );
  if (node === undefined) throw new Error(`no node is at ${contact}`);
  return node;
}

export const citizensNode = (hotline: Hotline, { citizen }: Pick<Talk, 'citizen'>): SwitchUnderTest =>
  nodeOf(hotline, citizen.parts.dialog.remoteTarget);

export const agentsNode = (hotline: Hotline, { agent }: Pick<Talk, 'agent'>): SwitchUnderTest =>
  nodeOf(hotline, agent.header('Contact'));
