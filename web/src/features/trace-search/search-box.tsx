import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type KeyboardEvent, type RefObject, useId, useState } from 'react';
import { attributesQuery } from '@/api/spread';
import type { TimeRange } from '@/base/time-range';
import { attributeText, readAttribute, type TraceSearch } from '@/base/trace-search';
import { classes } from '@/ui/classes';
import { Icon } from '@/ui/icons';
import { Key } from '@/ui/tooltip';
import type { Narrow } from './filters';
import { filterOf } from './search';
import { type Suggestion, suggestionsFor } from './suggestions';

/**
 * Takes words that spans should hold, an attribute as `key=value`, or a trace id to go straight to that trace; offers
 * the attributes that spans have.
 */
export function SearchBox({
  search,
  range,
  narrow,
  input,
}: {
  search: TraceSearch;
  range: TimeRange;
  narrow: Narrow;
  input: RefObject<HTMLInputElement | null>;
}) {
  const id = useId();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  /** -1 while no suggestion is chosen: Enter takes what was typed. */
  const [active, setActive] = useState(-1);
  const survey = useQuery({ ...attributesQuery(filterOf(search), range), enabled: isOpen });
  const suggestions = isOpen ? suggestionsFor(text, survey.data ?? []) : [];
  const shown = suggestions.length > 0;

  const take = (typed: string) => {
    const trimmed = typed.trim();
    if (trimmed === '') return;
    setText('');
    setActive(-1);
    const traceId = trimmed.replaceAll('-', '').toLowerCase();
    if (/^[0-9a-f]{32}$/.test(traceId)) {
      void navigate({ to: '/traces/$traceId', params: { traceId } });
      return;
    }
    const attribute = readAttribute(trimmed);
    if (attribute === null) narrow({ text: [search.text, trimmed].filter(Boolean).join(' ') });
    else
      narrow({
        attr: [...new Set([...(search.attr ?? []), attributeText(attribute.key, attribute.value)])],
      });
  };
  const pick = (suggestion: Suggestion) => {
    setActive(-1);
    if (suggestion.isWhole) {
      setOpen(false);
      take(suggestion.text);
    } else setText(suggestion.text);
    input.current?.focus();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = suggestions[active];
    if (chosen !== undefined) pick(chosen);
    else {
      setOpen(false);
      take(text);
    }
  };
  const keyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') {
      if (shown) setOpen(false);
      else event.currentTarget.blur();
      event.stopPropagation();
    } else if (event.key === 'Backspace' && text === '' && search.attr !== undefined) {
      narrow({ attr: search.attr.slice(0, -1) });
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setOpen(true);
      const by = event.key === 'ArrowDown' ? 1 : -1;
      const count = suggestions.length + 1;
      setActive(((active + 1 + by + count) % count) - 1);
    } else if (event.key === 'Tab' && !event.shiftKey && suggestions[active] !== undefined) {
      pick(suggestions[active]);
    } else return;
    event.preventDefault();
  };
  return (
    <form role="search" onSubmit={submit} className="relative min-w-56 flex-1">
      <Icon name="search" size={14} className="pointer-events-none absolute top-[9px] left-2.5 text-faint" />
      <input
        ref={input}
        role="combobox"
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 && shown ? `${id}-${active}` : undefined}
        value={text}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setActive(-1);
        }}
        onKeyDown={keyDown}
        placeholder="Text, attribute=value or trace id"
        aria-label="Text, attribute or trace id"
        spellCheck={false}
        autoComplete="off"
        className="field w-full pr-8 pl-8"
      />
      <span aria-hidden="true" className="pointer-events-none absolute top-[7px] right-2">
        <Key>/</Key>
      </span>
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label="Suggestions"
        className={classes('floating absolute top-9 left-0 z-30 w-full max-w-lg p-1', !shown && 'hidden')}
      >
        {suggestions.map((suggestion, at) => (
          <div
            key={suggestion.text}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === active}
            tabIndex={-1}
            // Before the field loses the focus, which closes the list.
            onPointerDown={(event) => {
              event.preventDefault();
              pick(suggestion);
            }}
            onPointerMove={() => setActive(at)}
            className={classes('flex h-7 items-center gap-1 rounded px-1.5', at === active && 'bg-hover')}
          >
            <span className="max-w-[60%] shrink-0 truncate text-muted">{suggestion.key}</span>
            <span className="text-faint">=</span>
            {suggestion.isWhole ? (
              <span className="truncate">{suggestion.value === '' ? '""' : suggestion.value}</span>
            ) : (
              <span className="text-faint">…</span>
            )}
          </div>
        ))}
      </div>
    </form>
  );
}
