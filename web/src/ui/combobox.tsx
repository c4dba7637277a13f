import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { classes } from './classes';
import { Icon } from './icons';
import { Popover } from './popover';
import { ServiceDot } from './service';

/** Rows that are drawn at most; typing narrows the rest. */
const MOST_SHOWN = 200;

/** A choice among many names, found by typing; text that is none of them may be used as well. */
export function Combobox(props: {
  label: string;
  value: string | undefined;
  options: readonly string[];
  loading?: boolean;
  problem?: string | undefined;
  /** Options are services: show their colours. */
  services?: boolean;
  /** Only the options are possible. */
  isClosed?: boolean;
  onChange: (value: string | undefined) => void;
  className?: string;
}) {
  const [open, setOpen] = useState(false);
  const { value, label } = props;
  const trigger = (
    <button
      type="button"
      aria-label={value === undefined ? label : `${label}: ${value}`}
      className={classes(
        'inline-flex h-8 min-w-0 items-center gap-1.5 rounded-md border px-2.5 hover:bg-hover',
        value === undefined
          ? 'border-line-strong bg-surface text-muted'
          : 'border-accent bg-selected text-text',
        props.className,
      )}
    >
      {value !== undefined && props.services === true && <ServiceDot service={value} />}
      <span className="truncate">{value ?? label}</span>
      <Icon name="chevronDown" size={12} className="text-faint" />
    </button>
  );
  return (
    <Popover label={label} open={open} onOpenChange={setOpen} trigger={trigger} className="w-72">
      <List
        {...props}
        pick={(next) => {
          props.onChange(next);
          setOpen(false);
        }}
      />
    </Popover>
  );
}

function List(props: Parameters<typeof Combobox>[0] & { pick: (value: string | undefined) => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const wanted = text.trim().toLowerCase();
  const found = props.options.filter((option) => option.toLowerCase().includes(wanted));
  const shown: { value: string | undefined; text: string }[] = found
    .slice(0, MOST_SHOWN)
    .map((option) => ({ value: option, text: option }));
  if (wanted !== '' && props.isClosed !== true && !props.options.includes(text.trim()))
    shown.push({ value: text.trim(), text: `Use “${text.trim()}”` });
  if (wanted === '' && props.value !== undefined) shown.unshift({ value: undefined, text: 'Any' });
  const current = Math.min(active, shown.length - 1);

  const move = (by: number) => {
    const next = (current + by + shown.length) % Math.max(shown.length, 1);
    setActive(next);
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Enter' && shown[current] !== undefined) props.pick(shown[current].value);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="border-b border-line p-1.5">
        <input
          // The list opens on the person's own click or key, and this is what they came for.
          // biome-ignore lint/a11y/noAutofocus: see above
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={current >= 0 ? `${id}-${current}` : undefined}
          aria-label={props.label}
          placeholder={`Find ${props.label.toLowerCase()}…`}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={keyDown}
          className="h-7 w-full rounded px-1.5 outline-none placeholder:text-faint"
        />
      </div>
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label={props.label}
        className="max-h-72 overflow-auto p-1"
      >
        {shown.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input above has the keyboard
          <div
            key={option.text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={option.value === props.value}
            tabIndex={-1}
            onClick={() => props.pick(option.value)}
            onPointerMove={() => setActive(index)}
            className={classes(
              'flex h-7 items-center gap-2 rounded px-1.5',
              index === current && 'bg-hover',
              option.value === undefined && 'text-muted',
            )}
          >
            {props.services === true && option.value !== undefined && <ServiceDot service={option.value} />}
            <span className="truncate" title={option.text}>
              {option.text}
            </span>
            {option.value !== undefined && option.value === props.value && (
              <Icon name="check" size={14} className="ml-auto text-accent" />
            )}
          </div>
        ))}
      </div>
      {shown.length === 0 && (
        <p className="px-3 pb-3 text-muted">
          {props.problem ??
            (props.loading === true
              ? 'Loading…'
              : `No ${props.label.toLowerCase()} ${props.isClosed === true ? 'is called so' : 'is known yet'}.`)}
        </p>
      )}
      {found.length > MOST_SHOWN && (
        <p className="border-t border-line px-3 py-1.5 text-xs text-muted">
          {found.length - MOST_SHOWN} more: type to narrow them down.
        </p>
      )}
    </>
  );
}
