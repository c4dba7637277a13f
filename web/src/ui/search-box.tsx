import { type RefObject, useEffect, useState } from 'react';
import { Icon } from './icons';
import { Key } from './tooltip';

/** Milliseconds without a key after which what was typed is searched for. */
const TYPING = 250;

/** A text that is searched for when typing rests. Escape empties it. */
export function SearchBox(props: {
  label: string;
  placeholder: string;
  text: string;
  find: (text: string) => void;
  input: RefObject<HTMLInputElement | null>;
}) {
  const { text, find } = props;
  const [typed, setTyped] = useState(text);
  const [searched, setSearched] = useState(text);
  const [seen, setSeen] = useState(text);
  // A text that was not searched for here came with a link, and is shown.
  if (text !== seen) {
    setSeen(text);
    if (text !== searched) {
      setSearched(text);
      setTyped(text);
    }
  }
  const wanted = typed.trim();
  useEffect(() => {
    if (wanted === searched) return;
    const waiting = setTimeout(() => {
      setSearched(wanted);
      find(wanted);
    }, TYPING);
    return () => clearTimeout(waiting);
  });
  return (
    <div role="search" className="relative flex max-w-2xl items-center">
      <Icon name="search" size={14} className="pointer-events-none absolute left-2.5 text-faint" />
      <input
        ref={props.input}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setTyped('');
          event.currentTarget.blur();
          event.stopPropagation();
        }}
        placeholder={props.placeholder}
        aria-label={props.label}
        spellCheck={false}
        autoComplete="off"
        className="field w-full pr-9 pl-8"
      />
      <span aria-hidden="true" className="pointer-events-none absolute right-2">
        <Key>/</Key>
      </span>
    </div>
  );
}
