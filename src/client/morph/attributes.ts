import type { Editing } from './fields.ts';
import { isField } from './fields.ts';
import type { Attribute, Part } from './parts.ts';
import { attributeOf } from './parts.ts';

/** What a field would submit. */
const VALUES = /^(value|checked|selected)$/;

/** What of a change concerns attributes. */
export interface AttributeChange {
  readonly editing: Editing;
  count: number;
  isHeldBack: boolean;
}

/**
 * Give an element those attributes that the server changed. Of `class` and `style` those words and
 * declarations; what scripts have put beside them stays. What is held back for the user stays in
 * `next.attributes` as it was in `old`, and is tried again with the page after the next.
 */
export function changeAttributes(
  old: Part,
  next: Part,
  element: Element,
  change: AttributeChange,
): void {
  const isHeld = (name: string) => VALUES.test(name) && change.editing.holds(element);
  const given: Attribute[] = [];
  for (const attribute of next.attributes) {
    const was = attributeOf(old, attribute.name);
    if (was === attribute.value) {
      given.push(attribute);
    } else if (isHeld(attribute.name)) {
      if (was !== undefined) given.push({ ...attribute, value: was });
      change.isHeldBack = true;
    } else {
      given.push(attribute);
      setAttribute(element, attribute, was);
      change.count += 1;
    }
  }
  for (const attribute of old.attributes) {
    if (attributeOf(next, attribute.name) !== undefined) continue;
    if (isHeld(attribute.name)) {
      given.push(attribute);
      change.isHeldBack = true;
    } else {
      removeAttribute(element, attribute);
      change.count += 1;
    }
  }
  next.attributes = given;
}

function setAttribute(element: Element, attribute: Attribute, was = ''): void {
  const { name, namespace, value } = attribute;
  const shown = element.getAttribute(name) ?? '';
  if (name === 'class' && shown !== was) mergeWords(element, was, value);
  else if (name === 'style' && shown !== was) mergeStyle(element as HTMLElement, was, value);
  else if (shown !== value || !element.hasAttribute(name)) {
    try {
      element.setAttributeNS(namespace, name, value);
    } catch (error) {
      // A parser lets names such as `@click` in; nothing else does.
      if ((error as Error).name !== 'InvalidCharacterError') throw error;
    }
  }
  setProperty(element, name, value);
}

function removeAttribute(element: Element, { name }: Attribute): void {
  element.removeAttribute(name);
  setProperty(element, name, undefined);
}

/** A field that was ever changed, if only back and forth, shows its properties, not its attributes. */
function setProperty(element: Element, name: string, value: string | undefined): void {
  const isOn = value !== undefined;
  if (name === 'selected' && element.localName === 'option') {
    (element as HTMLOptionElement).selected = isOn;
  } else if (element.localName === 'input' && isField(element)) {
    const input = element as HTMLInputElement;
    if (name === 'checked') input.checked = isOn;
    if (name === 'value' && input.type !== 'file' && input.value !== (value ?? '')) {
      input.value = value ?? '';
    }
  }
}

function mergeWords(element: Element, was: string, value: string): void {
  const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word);
  const [before, now] = [wordsOf(was), wordsOf(value)];
  const words = wordsOf(element.getAttribute('class') ?? '').filter(
    (word) => before.indexOf(word) < 0 || now.indexOf(word) >= 0,
  );
  for (const word of now) {
    if (before.indexOf(word) < 0 && words.indexOf(word) < 0) words.push(word);
  }
  element.setAttribute('class', words.join(' '));
}

function mergeStyle({ style, ownerDocument }: HTMLElement, was: string, value: string): void {
  const declarations = (text: string) => {
    const scratch = ownerDocument.createElement('i').style;
    scratch.cssText = text;
    return scratch;
  };
  const [before, now] = [declarations(was), declarations(value)];
  for (let index = 0; index < before.length; index += 1) {
    const name = before[index] ?? '';
    if (!now.getPropertyValue(name)) style.removeProperty(name);
  }
  for (let index = 0; index < now.length; index += 1) {
    const name = now[index] ?? '';
    const given = now.getPropertyValue(name);
    if (before.getPropertyValue(name) !== given) {
      style.setProperty(name, given, now.getPropertyPriority(name));
    }
  }
}
