import { useSyncExternalStore } from 'react';

/** A preference of this person on this computer: kept in local storage, shared by all open pages. */
export interface Stored<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

/** `read` turns the stored text into a value, or `null` when it is none. */
export function stored<T extends string | number>(
  name: string,
  initial: T,
  read: (text: string) => T | null,
): Stored<T> {
  const key = `glasshouse.${name}`;
  const listeners = new Set<() => void>();
  const load = (): T => {
    try {
      const text = localStorage.getItem(key);
      return (text === null ? null : read(text)) ?? initial;
    } catch {
      return initial; // Storage is switched off.
    }
  };
  let current = load();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  window.addEventListener('storage', (event) => {
    if (event.key !== key) return;
    current = load();
    tell();
  });
  return {
    get: () => current,
    set(value) {
      current = value;
      try {
        localStorage.setItem(key, String(value));
      } catch {
        // It holds until the page closes.
      }
      tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** For `read`: one of these texts. */
export function oneOf<T extends string>(...values: readonly T[]): (text: string) => T | null {
  return (text) => values.find((value) => value === text) ?? null;
}

export function useStored<T>(store: Stored<T>): [T, (value: T) => void] {
  return [useSyncExternalStore(store.subscribe, store.get), store.set];
}
