import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { formatCount } from '@/base/numbers';
import { attributeText } from '@/base/trace-search';
import { type AnyValue, type KeyValue, prettyOf, textOf, typeOf, type ValueType } from '@/base/values';
import { classes } from './classes';
import { CopyButton } from './copy';
import { Icon } from './icons';

/** Attributes after which a field to narrow them appears. */
const MANY = 12;
/** Characters of a value that are shown before one asks for more, and at most. */
const SHORT = 400;
const LONG = 100_000;

/** Attributes by name and value, each to copy or to search by. */
export function Attributes(props: {
  attributes: readonly KeyValue[];
  label: string;
  /** What is searched for by a value: traces when left out, or log records where one is. */
  of?: 'traces' | 'logs';
}) {
  const { attributes, label, of = 'traces' } = props;
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const sorted = [...attributes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const shown =
    wanted === ''
      ? sorted
      : sorted.filter(({ key, value }) => `${key}=${textOf(value)}`.toLowerCase().includes(wanted));
  return (
    <>
      {attributes.length > MANY && (
        <div className="px-4 pb-1.5">
          <input
            value={text}
            onChange={(event) => setText(event.target.value)}
            placeholder={`Find in ${attributes.length} attributes`}
            aria-label={`Find in: ${label}`}
            className="field h-7 w-full text-xs"
          />
        </div>
      )}
      <table aria-label={label} className="w-full table-fixed border-collapse">
        <thead className="sr-only">
          <tr>
            <th>Name</th>
            <th>Value</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ key, value }, at) => (
            <tr key={`${key} ${at}`} className="group hover:bg-hover">
              <th
                scope="row"
                className="w-[38%] py-[3px] pr-3 pl-4 text-left align-top font-normal wrap-anywhere text-muted"
              >
                {key}
              </th>
              <td className="py-[3px] pr-2 align-top">
                <div className="relative">
                  <Value value={value} />
                  <span className="absolute -top-px right-0 flex rounded bg-hover pl-1 opacity-0 group-hover:opacity-100 focus-within:opacity-100 [@media(hover:none)]:opacity-100">
                    <FilterLink attribute={key} value={value} of={of} />
                    <CopyButton text={textOf(value)} what={key} />
                  </span>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === 0 && <p className="px-4 text-muted">None of them matches.</p>}
    </>
  );
}

/** Searches for what has this attribute. */
function FilterLink(props: { attribute: string; value: AnyValue; of: 'traces' | 'logs' }) {
  const { attribute, value, of } = props;
  const text = textOf(value);
  // A key with "=" cannot be told from its value in a link, and a link has no room for a novel.
  if (attribute.includes('=') || text.length > 1_000) return null;
  const condition = attributeText(attribute, text);
  const label = `Find ${of === 'logs' ? 'log records' : 'traces'} with ${attribute} = ${text}`;
  return (
    <Link
      {...(of === 'logs'
        ? {
            to: '.',
            search: (before: { attr?: string[] }) => ({
              ...before,
              attr: [...new Set([...(before.attr ?? []), condition])],
            }),
          }
        : { to: '/traces', search: { attr: [condition] } })}
      title={label}
      aria-label={label}
      className="inline-flex size-5 items-center justify-center rounded text-faint hover:bg-line hover:text-text"
    >
      <Icon name="filter" size={13} />
    </Link>
  );
}

const TYPE_CLASS: Readonly<Record<ValueType, string>> = {
  string: '',
  int: 'tabular text-info',
  double: 'tabular text-info',
  bool: 'text-ok',
  bytes: 'text-muted',
  array: '',
  map: '',
  empty: 'text-faint italic',
};

/** A value in the dress of its type. Text is shown as text, whatever it holds. */
export function Value({ value }: { value: AnyValue }) {
  const [whole, setWhole] = useState(false);
  const type = typeOf(value);
  const isNested = type === 'array' || type === 'map';
  const text = type === 'empty' ? 'empty' : isNested && whole ? prettyOf(value) : textOf(value);
  const shown = text.slice(0, whole ? LONG : SHORT);
  const canGrow = text.length > SHORT || (isNested && text.length > 40);
  return (
    <span className="min-w-0">
      <span
        title={type}
        className={classes('font-mono text-xs wrap-anywhere whitespace-pre-wrap', TYPE_CLASS[type])}
      >
        {type === 'string' && text === '' ? <span className="text-faint italic">empty text</span> : shown}
        {shown.length < text.length && '…'}
      </span>
      {type !== 'string' && <span className="ml-1.5 text-2xs text-faint">{type}</span>}
      {canGrow && (
        <button
          type="button"
          onClick={() => setWhole(!whole)}
          className="ml-1.5 text-xs text-accent hover:underline"
        >
          {whole
            ? 'less'
            : text.length > SHORT
              ? `all ${formatCount(Math.min(text.length, LONG))} characters`
              : 'lay out'}
        </button>
      )}
    </span>
  );
}
