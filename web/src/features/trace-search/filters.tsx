import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type RefObject, useState } from 'react';
import { operationsQuery, servicesQuery } from '@/api/services';
import { durationText, parseDuration } from '@/base/durations';
import type { TimeRange } from '@/base/time-range';
import { readAttribute, SPAN_KINDS, type SpanKindName, type TraceSearch } from '@/base/trace-search';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { classes } from '@/ui/classes';
import { Combobox } from '@/ui/combobox';
import { Icon } from '@/ui/icons';
import { Popover } from '@/ui/popover';
import { describeBounds, filterOf, hasFilter, traceBounds } from './search';
import { SearchBox } from './search-box';

/** Replaces parts of the search; `undefined` takes a condition away. */
export type Narrow = (change: { [Name in keyof TraceSearch]?: TraceSearch[Name] | undefined }) => void;

/** The conditions of the search. A trace is listed when one of its spans meets all of them. */
export function Filters(props: {
  search: TraceSearch;
  range: TimeRange;
  narrow: Narrow;
  clear: () => void;
  input: RefObject<HTMLInputElement | null>;
}) {
  const { search, range, narrow } = props;
  const services = useQuery(servicesQuery(range));
  const operations = useQuery({
    ...operationsQuery(search.service ?? '', range),
    enabled: search.service !== undefined,
  });
  const filter = filterOf(search);
  const bounds = traceBounds(search);
  return (
    <div className="shrink-0 space-y-2 border-b border-line bg-surface px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-2">
        <SearchBox search={search} range={range} narrow={narrow} input={props.input} />
        <Combobox
          label="Service"
          services
          value={search.service}
          options={services.data ?? []}
          loading={services.isPending}
          problem={services.error?.message}
          onChange={(service) => narrow({ service, operation: undefined })}
          className="max-w-48"
        />
        <Combobox
          label="Operation"
          value={search.operation}
          options={operations.data ?? []}
          loading={operations.isFetching}
          problem={
            operations.error?.message ??
            (search.service === undefined
              ? 'Type a name, or choose a service to see its operations.'
              : undefined)
          }
          onChange={(operation) => narrow({ operation })}
          className="max-w-56"
        />
        <Combobox
          label="Kind"
          value={search.kind}
          options={SPAN_KINDS}
          isClosed
          onChange={(kind) => narrow({ kind: kind as SpanKindName | undefined })}
        />
        <DurationFilter search={search} narrow={narrow} />
        <button
          type="button"
          aria-pressed={search.error === 'true'}
          onClick={() => narrow({ error: search.error === 'true' ? undefined : 'true' })}
          className={classes(
            'inline-flex h-8 items-center gap-1.5 rounded-md border px-2.5',
            search.error === 'true'
              ? 'border-error bg-error-soft text-error'
              : 'border-line-strong bg-surface text-muted hover:bg-hover',
          )}
        >
          <Icon name="error" size={14} />
          Errors
        </button>
        {hasFilter(search) && (
          <Button look="ghost" onClick={props.clear}>
            Clear
          </Button>
        )}
      </div>
      {(filter.attributes.length > 0 ||
        search.text !== undefined ||
        search.root !== undefined ||
        bounds.min !== null ||
        bounds.max !== null) && (
        <ul aria-label="Conditions" className="flex flex-wrap gap-1.5">
          {search.attr?.map((text) => {
            const attribute = readAttribute(text)!;
            return (
              <Chip
                key={text}
                label={`${attribute.key} = ${attribute.value}`}
                onRemove={() => narrow({ attr: search.attr?.filter((other) => other !== text) })}
              >
                <span className="text-muted">{attribute.key}</span>
                <span className="text-faint">=</span>
                <span className="truncate">{attribute.value === '' ? '""' : attribute.value}</span>
              </Chip>
            );
          })}
          {search.text !== undefined && (
            <Chip label={`text ${search.text}`} onRemove={() => narrow({ text: undefined })}>
              <span className="text-muted">text</span>
              <span className="truncate">{search.text}</span>
            </Chip>
          )}
          {search.root !== undefined && (
            <Chip label="root span" onRemove={() => narrow({ root: undefined })}>
              <span className="text-muted">is a root span</span>
            </Chip>
          )}
          {(bounds.min !== null || bounds.max !== null) && (
            <Chip label="duration of the trace" onRemove={() => narrow({ tmin: undefined, tmax: undefined })}>
              <span className="text-muted">trace lasts</span>
              <span className="tabular">{describeBounds(bounds)}</span>
            </Chip>
          )}
        </ul>
      )}
    </div>
  );
}

function DurationFilter({ search, narrow }: { search: TraceSearch; narrow: Narrow }) {
  const [open, setOpen] = useState(false);
  const { minDuration = null, maxDuration = null } = filterOf(search);
  const isSet = minDuration !== null || maxDuration !== null;
  const shown = isSet ? describeBounds({ min: minDuration, max: maxDuration }) : 'Duration';
  return (
    <Popover
      label="Duration of the span"
      open={open}
      onOpenChange={setOpen}
      className="w-72 p-3"
      trigger={
        <button
          type="button"
          aria-label={isSet ? `Duration: ${shown}` : 'Duration'}
          className={classes(
            'tabular inline-flex h-8 items-center gap-1.5 rounded-md border px-2.5 hover:bg-hover',
            isSet ? 'border-accent bg-selected' : 'border-line-strong bg-surface text-muted',
          )}
        >
          {shown}
          <Icon name="chevronDown" size={12} className="text-faint" />
        </button>
      }
    >
      <DurationForm
        search={search}
        apply={(min, max) => {
          narrow({ min, max });
          setOpen(false);
        }}
      />
    </Popover>
  );
}

function DurationForm(props: {
  search: TraceSearch;
  apply: (min: string | undefined, max: string | undefined) => void;
}) {
  const [min, setMin] = useState(props.search.min ?? '');
  const [max, setMax] = useState(props.search.max ?? '');
  const [tried, setTried] = useState(false);
  const least = min.trim() === '' ? undefined : parseDuration(min);
  const greatest = max.trim() === '' ? undefined : parseDuration(max);
  const isReversed = least != null && greatest != null && greatest < least;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (least === null || greatest === null || isReversed) return;
    props.apply(least && durationText(least), greatest && durationText(greatest));
  };
  const fields = [
    { label: 'At least', value: min, set: setMin, wrong: least === null, placeholder: '100ms' },
    { label: 'At most', value: max, set: setMax, wrong: greatest === null || isReversed, placeholder: '2s' },
  ];
  return (
    <form onSubmit={submit} className="space-y-2.5">
      <p className="text-xs text-muted">How long the span lasts that meets the other conditions.</p>
      <div className="grid grid-cols-2 gap-2">
        {fields.map((field) => (
          <label key={field.label} className="block">
            <span className="mb-1 block text-xs text-muted">{field.label}</span>
            <input
              value={field.value}
              onChange={(event) => field.set(event.target.value)}
              placeholder={field.placeholder}
              aria-invalid={tried && field.wrong}
              className="field w-full font-mono text-xs"
            />
          </label>
        ))}
      </div>
      {tried && (least === null || greatest === null || isReversed) && (
        <p role="alert" className="text-xs text-error">
          {isReversed ? 'The most must not be less than the least.' : 'Write it as 250ms, 1.5s or 2m.'}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button look="ghost" onClick={() => props.apply(undefined, undefined)}>
          Any
        </Button>
        <Button type="submit" look="primary">
          Apply
        </Button>
      </div>
    </form>
  );
}
