/*
 * Which fields are the user's. A form in which anything was changed, or which has the focus in a field,
 * is being edited: none of what it would submit changes, hidden tokens and versions neither, since what
 * the user writes was begun on the page as it was. The rest of the page goes on changing around it.
 */

/** What the user is doing, for as long as one morph takes. */
export interface Editing {
  /** The element that has the focus, or that holds the start of the selection. */
  readonly focus: Node | undefined;
  /** Whether the value of a field is to be left alone. */
  holds(element: Element): boolean;
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const BUTTON = /^(button|submit|reset|image)$/;
const CHECKED = /^(checkbox|radio)$/;

/** Look at all forms of the page. */
export function lookAtForms(page: Document): Editing {
  const { activeElement } = page;
  const edited: HTMLFormElement[] = [];
  for (let index = 0; index < page.forms.length; index += 1) {
    const form = page.forms[index];
    if (form && isEdited(form, activeElement)) edited.push(form);
  }
  return {
    focus: focusOf(page),
    holds(element) {
      const field = isOption(element) ? selectOf(element) : element;
      if (!field || !isField(field)) return false;
      return field.form ? edited.indexOf(field.form) >= 0 : isTouched(field, activeElement);
    },
  };
}

/** Whether it is an `<input>`, `<textarea>` or `<select>`. */
export function isField(element: Element): element is Field {
  return /^(input|textarea|select)$/.test(element.localName);
}

/** Whether the user may write into an element as into a field. */
export function isEditable(node: Node): boolean {
  // Not `isContentEditable`, which waits for the style of all that was just changed.
  const word = node.nodeType === 1 ? (node as Element).getAttribute('contenteditable') : null;
  return word !== null && word !== 'false';
}

/** Whether a load of the page would take something from the user. */
export function isBeingEdited(page: Document): boolean {
  const { activeElement } = page;
  const fields = page.querySelectorAll('input,textarea,select');
  for (let index = 0; index < fields.length; index += 1) {
    if (isTouched(fields[index] as Field, activeElement)) return true;
  }
  return (activeElement as HTMLElement | null)?.isContentEditable === true;
}

function isOption(element: Element): boolean {
  return element.localName === 'option';
}

function selectOf(option: Element): Element | null {
  let at: Element | null = option;
  while (at && at.localName !== 'select') at = at.parentElement;
  return at;
}

function focusOf(page: Document): Node | undefined {
  const { activeElement, body } = page;
  if (activeElement && activeElement !== body) return activeElement;
  const selection = page.getSelection();
  return (selection && !selection.isCollapsed && selection.anchorNode) || undefined;
}

function isEdited(form: HTMLFormElement, active: Element | null): boolean {
  const { elements } = form;
  for (let index = 0; index < elements.length; index += 1) {
    const element = elements[index];
    if (element && isField(element) && isTouched(element, active)) return true;
  }
  return false;
}

function isTouched(field: Field, active: Element | null): boolean {
  if (field.localName === 'select') {
    return field === active || !hasDefaultChoice(field as HTMLSelectElement);
  }
  const { type } = field;
  if (BUTTON.test(type) || type === 'hidden') return false;
  if (field === active) return true;
  if (CHECKED.test(type)) {
    const { checked, defaultChecked } = field as HTMLInputElement;
    return checked !== defaultChecked;
  }
  const { value, defaultValue } = field as HTMLInputElement;
  return value !== defaultValue && value !== valueUntouched(field);
}

/** The value that a field of this type makes of its default: a colour `''` is black. */
function valueUntouched(field: Field): string {
  const fresh = field.ownerDocument.createElement(field.localName) as HTMLInputElement;
  for (const name of ['type', 'min', 'max', 'step', 'multiple', 'value']) {
    const value = field.getAttribute(name);
    if (value !== null) fresh.setAttribute(name, value);
  }
  if (field.localName === 'textarea') fresh.defaultValue = field.textContent ?? '';
  return fresh.value;
}

function hasDefaultChoice(select: HTMLSelectElement): boolean {
  const { options, multiple } = select;
  let chosen = -1;
  let first = -1;
  for (let index = 0; index < options.length; index += 1) {
    const option = options[index];
    if (!option) continue;
    if (multiple && option.selected !== option.defaultSelected) return false;
    if (option.defaultSelected) chosen = index;
    if (first < 0 && !option.disabled) first = index;
  }
  if (multiple) return true;
  return select.selectedIndex === (chosen < 0 && select.size <= 1 ? first : chosen);
}
