import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';

/** A shortcut: what the help page says, and what it does. */
export interface Hotkey {
  /** `KeyboardEvent.key`, with `Shift+` in front where it matters, such as `Shift+E`. */
  keys: readonly string[];
  /** As the help page shows it; `keys` when left out. */
  shown?: readonly string[];
  label: string;
  /** Works while typing too. */
  whileTyping?: boolean;
  /** `false`: not for me, let the browser have it. */
  run: (event: KeyboardEvent) => unknown;
}

interface Group {
  title: string;
  hotkeys: readonly Hotkey[];
}

let groups: readonly Group[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Group[]) {
  groups = next;
  for (const listener of listeners) listener();
}

function nameOf(event: KeyboardEvent): string {
  const isLetter = /^[a-z]$/i.test(event.key);
  return event.shiftKey && (isLetter || event.key.length > 1)
    ? `Shift+${isLetter ? event.key.toUpperCase() : event.key}`
    : event.key;
}

/** What the key was pressed in, also within a part that keeps its insides to itself, such as an editor. */
function placeOf(event: KeyboardEvent): EventTarget | null {
  return event.composedPath()[0] ?? event.target;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

/** Whether the key belongs to what has the focus: an open popover, or an arrow key to a part that scrolls. */
function isTaken({ key, target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role=dialog]') !== null) return true;
  return (
    key.startsWith('Arrow') &&
    target.closest('aside, [role=region], [role=slider], [role=separator]') !== null
  );
}

function handle(event: KeyboardEvent) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  // An open dialog or menu has the keyboard to itself.
  if (document.querySelector('dialog[open]') !== null && event.key !== '?') return;
  const typing = isTyping(placeOf(event));
  if (isTaken(event)) return;
  const name = nameOf(event);
  for (const group of [...groups].reverse()) {
    for (const hotkey of group.hotkeys) {
      if (!hotkey.keys.includes(name) || (typing && hotkey.whileTyping !== true)) continue;
      if (hotkey.run(event) === false) continue;
      event.preventDefault();
      return;
    }
  }
}
window.addEventListener('keydown', handle);

/** Shortcuts that hold while the component is on the page. Later groups win over earlier ones. */
export function useHotkeys(title: string, hotkeys: readonly Hotkey[]) {
  const run = useEffectEvent((index: number, event: KeyboardEvent) => hotkeys[index]?.run(event));
  const shape = JSON.stringify(hotkeys.map(({ run: _, ...rest }) => rest));
  useEffect(() => {
    const fixed = (JSON.parse(shape) as Omit<Hotkey, 'run'>[]).map((hotkey, index) => ({
      ...hotkey,
      run: (event: KeyboardEvent) => run(index, event),
    }));
    const group = { title, hotkeys: fixed };
    change([...groups, group]);
    return () => change(groups.filter((other) => other !== group));
  }, [title, shape]);
}

/** The shortcuts that hold now. */
export function useHotkeyGroups(): readonly Group[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => groups,
  );
}
