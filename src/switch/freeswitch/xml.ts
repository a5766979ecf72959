/** A small XML writer for FreeSWITCH's configuration: elements with attributes, no text. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
}

/** An element; attribute values are escaped when it is written. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly XmlElement[] = [],
): XmlElement {
  return { name, attributes, children };
}

/** Escapes a value for a double-quoted attribute (XML 1.0, section 2.3). */
export function escapeAttribute(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}

/** An include file for FreeSWITCH: one element a line, inside the `include` tags that its preprocessor drops. */
export function xmlDocument(elements: readonly XmlElement[]): string {
  return `<include>\n${elements.map((child) => write(child, 1)).join('')}</include>\n`;
}

function write(node: XmlElement, depth: number): string {
  const indent = '  '.repeat(depth);
  const attributes = Object.entries(node.attributes)
    .map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`)
    .join('');
  if (node.children.length === 0) return `${indent}<${node.name}${attributes}/>\n`;
  const inner = node.children.map((child) => write(child, depth + 1)).join('');
  return `${indent}<${node.name}${attributes}>\n${inner}${indent}</${node.name}>\n`;
}
