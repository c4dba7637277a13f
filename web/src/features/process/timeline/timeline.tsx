import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Timeline, type TimelinePart, type TimelineSlice, timelineQuery } from '@/api/timeline';
import { after, between, fromDrawable, type Nanos, nanos, toDrawable } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { clampZoom, isWhole, panBy, wholeOf, type Zoom, zoomAround, zoomTo } from '@/base/zoom';
import { Button, IconButton } from '@/ui/button';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon } from '@/ui/icons';
import { MINIMAP_PADDING, Minimap } from '@/ui/minimap';
import { useSettled } from '@/ui/settled';
import { useSize } from '@/ui/size';
import { EmptyState, ErrorState } from '@/ui/states';
import { noteError } from '@/ui/toasts';
import type { ProcessPageSearch } from '../search';
import { Chart, type ChartHandle } from './chart';
import { drawSmall, isCoarse, isSame, linesOf, sliceText, withSlicesOf } from './flame';
import { SlicePanel } from './slice-panel';
import { beyond, type Place, placesOf, step } from './steps';
import { stepOf, windowOf } from './window';

/** What the threads of a process and its asynchronous work did over time. */
export function ProcessTimeline({ processId, search }: { processId: string; search: ProcessPageSearch }) {
  const frame = useRef<HTMLDivElement>(null);
  const { width } = useSize(frame);
  const whole = useQuery(timelineQuery(processId, null));
  const isOld = whole.isError && whole.data !== undefined;
  useEffect(() => {
    if (isOld) noteError('The timeline could not be loaded again', whole.error?.message);
  }, [isOld, whole.error]);
  return (
    <div ref={frame} className="flex min-h-0 flex-1 flex-col">
      {whole.data === undefined ? (
        whole.isError ? (
          <ErrorState
            title="The timeline could not be loaded"
            error={whole.error}
            retry={() => void whole.refetch()}
          />
        ) : (
          <Loading />
        )
      ) : whole.data.range === null ? (
        <EmptyState icon="processes" title="This process has sent no spans">
          A timeline is made of spans. Those that say their thread (<code>thread.id</code>) are drawn there,
          the others as asynchronous work.
        </EmptyState>
      ) : (
        <Shown processId={processId} search={search} whole={whole.data} width={width} />
      )}
    </div>
  );
}

function Shown(props: { processId: string; search: ProcessPageSearch; whole: Timeline; width: number }) {
  const { processId, search, whole, width } = props;
  const navigate = useNavigate();
  const { first, last } = whole.range!;
  const length = Math.max(toDrawable(between(first, last)), 1);
  const link = (change: { [Name in keyof ProcessPageSearch]?: ProcessPageSearch[Name] | undefined }) =>
    void navigate({
      to: '.',
      replace: true,
      search: (previous) => ({ ...previous, ...change }) as ProcessPageSearch,
    });
  const { origin } = whole;
  // `null` for all of the time, also when that grows; a part stays where it is when the beginning moves.
  const [part, setPart] = useState(() => readPart(search.zoom, origin, length));
  const zoom = useMemo(() => zoomOf(part, origin, length), [part, origin, length]);
  const setZoom = useCallback(
    (change: (zoom: Zoom) => Zoom) =>
      setPart((before) => {
        const next = change(zoomOf(before, origin, length));
        return isWhole(next, length) ? null : { origin, zoom: next };
      }),
    [origin, length],
  );
  useSettled({
    value: partText(part),
    linked: search.zoom,
    write: (text) => link({ zoom: text }),
    read: (text) => setPart(readPart(text, origin, length)),
  });
  const [find, setFind] = useState(search.find ?? '');
  useSettled({
    value: find === '' ? undefined : find,
    linked: search.find,
    write: (text) => link({ find: text }),
    read: (text) => setFind(text ?? ''),
  });
  const [selected, setSelected] = useState<TimelineSlice>();
  const [spanId, setSpanId] = useState(search.span);
  useSettled({
    value: spanId,
    linked: search.span,
    write: (span) => link({ span }),
    read: (span) => {
      setSelected(undefined);
      setSpanId(span);
    },
  });

  const wanted = useRested(
    useMemo(() => wantedPart(zoom, origin, length, width), [zoom, origin, length, width]),
  );
  const fine = useQuery({
    ...timelineQuery(processId, wanted),
    enabled: wanted !== null,
    placeholderData: keepPreviousData,
  });
  // What was asked for before may serve, when it is of the same beginning.
  const finer =
    wanted !== null &&
    fine.data?.window != null &&
    fine.data.origin === origin &&
    covers(fine.data.window, zoom)
      ? fine.data
      : null;
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => new Set());
  const shown = finer ?? whole;
  const lines = useMemo(
    () => linesOf(finer === null ? whole.tracks : withSlicesOf(whole, finer), folded),
    [whole, finer, folded],
  );
  const small = useMemo(() => linesOf(whole.tracks, NONE), [whole]);
  const places = useMemo(() => placesOf(lines), [lines]);
  /** What is selected, as it is drawn now. */
  const place = useMemo<Place | undefined>(
    () =>
      places.find(({ slice }) =>
        selected === undefined
          ? slice.span !== null && slice.span.spanId === spanId
          : isSame(slice, selected),
      ),
    [places, selected, spanId],
  );
  const panelSlice = place?.slice ?? selected;
  const matches = useMemo(() => {
    const wanted = find.trim().toLowerCase();
    return (name: string) => wanted === '' || name.toLowerCase().includes(wanted);
  }, [find]);

  const chart = useRef<ChartHandle>(null);
  // A link to a span opens at its row.
  const openAt = useRef(search.span);
  useEffect(() => {
    if (place === undefined || openAt.current === undefined) return;
    if (place.slice.span?.spanId === openAt.current) chart.current?.reveal(place.line);
    openAt.current = undefined;
  }, [place]);

  const findInput = useRef<HTMLInputElement>(null);
  const select = (slice: TimelineSlice | undefined) => {
    setSelected(slice);
    setSpanId(slice?.span?.spanId);
  };
  const go = (to: Place | undefined) => {
    if (to === undefined) return;
    select(to.slice);
    chart.current?.reveal(to.line);
    const { start, end } = to;
    if (end < zoom.from || start > zoom.to) {
      const half = (zoom.to - zoom.from) / 2;
      const middle = (start + Math.min(end, length)) / 2;
      setZoom((now) => panBy(now, middle - half - now.from, length));
    }
  };
  const zoomBy = (factor: number) =>
    setZoom((now) => zoomAround(now, (now.from + now.to) / 2, factor, length));
  const pan = (share: number) => setZoom((now) => panBy(now, share * (now.to - now.from), length));
  const zoomToSlice = (slice: TimelineSlice | undefined) => {
    if (slice === undefined) return;
    const start = toDrawable(between(whole.origin, slice.start));
    setZoom(() =>
      zoomTo(start, slice.duration === null ? length : start + toDrawable(slice.duration), length),
    );
  };
  const openTrace = () => {
    const span = panelSlice?.span;
    if (span == null) return false;
    void navigate({
      to: '/traces/$traceId',
      params: { traceId: span.traceId },
      search: { span: span.spanId },
    });
    return true;
  };
  const moved = (by: 'left' | 'right' | 'up' | 'down') => () => {
    // What is selected is on its way: the next is not known yet.
    if (panelSlice !== undefined && place === undefined && fine.isFetching) return;
    const next = step(places, place, by, zoom);
    go(
      next ?? (place === undefined ? undefined : beyond(placesOf(linesOf(whole.tracks, folded)), place, by)),
    );
  };
  useHotkeys('Timeline', [
    { keys: ['w', '+', '='], shown: ['w', '+'], label: 'Zoom in', run: () => zoomBy(0.5) },
    { keys: ['s', '-'], shown: ['s', '-'], label: 'Zoom out', run: () => zoomBy(2) },
    { keys: ['a'], label: 'Earlier', run: () => pan(-0.25) },
    { keys: ['d'], label: 'Later', run: () => pan(0.25) },
    { keys: ['0'], label: 'The whole time', run: () => setZoom(() => wholeOf(length)) },
    { keys: ['ArrowRight'], label: 'Next slice of the row', run: moved('right') },
    { keys: ['ArrowLeft'], label: 'Slice before', run: moved('left') },
    { keys: ['ArrowDown'], label: 'Slice below', run: moved('down') },
    { keys: ['ArrowUp'], label: 'Slice above', run: moved('up') },
    { keys: ['z'], label: 'Zoom to the slice', run: () => zoomToSlice(panelSlice) },
    {
      keys: ['Enter'],
      label: 'Open the span in its trace',
      // A button or link that has the focus is meant.
      run: ({ target }) =>
        target instanceof Element && target.closest('a, button') !== null ? false : openTrace(),
    },
    { keys: ['/'], label: 'Find by name', run: () => findInput.current?.focus() },
    {
      keys: ['Escape'],
      label: 'Close the slice',
      run: () => {
        if (panelSlice === undefined) return false;
        select(undefined);
        return true;
      },
    },
  ]);

  return (
    <>
      <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 py-1.5">
        <label className="flex h-8 min-w-40 items-center gap-1.5 rounded-md border border-line-strong bg-page px-2 focus-within:border-accent">
          <Icon name="search" className="text-faint" />
          <input
            ref={findInput}
            type="search"
            aria-label="Find slices by name"
            placeholder="Find by name"
            value={find}
            onChange={(event) => setFind(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') event.currentTarget.blur();
            }}
            className="w-36 bg-transparent outline-none"
          />
        </label>
        <p
          role="status"
          className="tabular order-last min-w-0 basis-full text-xs text-muted sm:order-none sm:flex-1 sm:basis-0"
        >
          <Told timeline={shown} isLoading={fine.isFetching} />
        </p>
        {fine.isError && (
          <p role="alert" className="flex items-center gap-2 text-xs text-error">
            Finer detail could not be loaded: {fine.error.message}
            <Button onClick={() => void fine.refetch()}>Try again</Button>
          </p>
        )}
        <div className="ml-auto flex">
          <IconButton icon="zoomOut" label="Zoom out" shortcut="s" onClick={() => zoomBy(2)} />
          <IconButton icon="zoomIn" label="Zoom in" shortcut="w" onClick={() => zoomBy(0.5)} />
          <IconButton
            icon="expand"
            label="The whole time"
            shortcut="0"
            onClick={() => setZoom(() => wholeOf(length))}
          />
        </div>
      </div>
      <Minimap
        of="time"
        length={length}
        zoom={zoom}
        draw={(surface) => drawSmall(surface, small, length, MINIMAP_PADDING)}
        drawn={[small, length]}
        onZoom={setZoom}
      />
      <Chart
        lines={lines}
        length={length}
        origin={whole.origin}
        zoom={zoom}
        selected={place}
        matches={matches}
        folded={folded}
        onFold={setFolded}
        onZoom={setZoom}
        onSelect={select}
        onOpen={zoomToSlice}
        handle={chart}
      />
      {panelSlice !== undefined && (
        <SlicePanel
          slice={panelSlice}
          track={place?.track}
          origin={whole.origin}
          onZoom={() => zoomToSlice(panelSlice)}
          onClose={() => select(undefined)}
        />
      )}
      <span className="sr-only" aria-live="polite">
        {panelSlice === undefined ? '' : sliceText(panelSlice)}
      </span>
    </>
  );
}

/** How much there is, and what of it is not seen one by one. */
function Told({ timeline, isLoading }: { timeline: Timeline; isLoading: boolean }) {
  const { spanCount, hiddenSpanCount, tracks } = timeline;
  return (
    <>
      {formatCount(spanCount)} {spanCount === 1n ? 'span' : 'spans'}
      {tracks.some(isCoarse) && ' · the shortest are put together: zoom in to see each'}
      {hiddenSpanCount > 0n && ` · ${formatCount(hiddenSpanCount)} more are not drawn: too many run at once`}
      {isLoading && ' · loading finer detail …'}
    </>
  );
}

function covers(window: Zoom, zoom: Zoom): boolean {
  return window.from <= zoom.from && window.to >= zoom.to;
}

/** A part of the time that is shown: as offsets from a moment. */
interface Part {
  origin: Nanos;
  zoom: Zoom;
}

function zoomOf(part: Part | null, origin: Nanos, length: number): Zoom {
  if (part === null) return wholeOf(length);
  const by = toDrawable(between(origin, part.origin));
  return clampZoom({ from: part.zoom.from + by, to: part.zoom.to + by }, length);
}

/** As a link holds it: moments, as nanoseconds since the Unix epoch. */
function partText(part: Part | null): string | undefined {
  if (part === null) return undefined;
  const { origin, zoom } = part;
  return `${after(origin, fromDrawable(zoom.from))}-${after(origin, fromDrawable(zoom.to))}`;
}

function readPart(text: string | undefined, origin: Nanos, length: number): Part | null {
  const [from, to] = text?.split('-').map(nanos) ?? [];
  if (from === undefined || to === undefined || from >= to) return null;
  const offset = (time: Nanos) => toDrawable(between(origin, time));
  const zoom = clampZoom({ from: offset(from), to: offset(to) }, length);
  return isWhole(zoom, length) ? null : { origin, zoom };
}

/** What is asked for to show a part; as fine in all of it as the pixels of what is shown are. */
function wantedPart(zoom: Zoom, origin: Nanos, length: number, width: number): TimelinePart | null {
  const window = windowOf(zoom, length);
  if (window === null) return null;
  const step = stepOf(zoom);
  return { origin, window, columns: ((window.to - window.from) / step) * pixelColumns(width) };
}

/** Two pixels are the least that is told apart. Steps keep a dragged border from asking again and again. */
function pixelColumns(width: number): number {
  return Math.ceil(Math.max(width, 1) / 2 / 200) * 200;
}

const NONE: ReadonlySet<string> = new Set();

const RESTED_MS = 120;

/** A value that changes only when it has rested: while the hand moves, nothing is asked for. */
function useRested(value: TimelinePart | null): TimelinePart | null {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const isSame = (before: TimelinePart | null) =>
      before?.origin === value?.origin &&
      before?.window.from === value?.window.from &&
      before?.window.to === value?.window.to &&
      before?.columns === value?.columns;
    const timer = setTimeout(() => setRested((before) => (isSame(before) ? before : value)), RESTED_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the timeline" className="min-h-0 flex-1 overflow-hidden">
      <div className="h-14 border-b border-line bg-surface" />
      {Array.from({ length: 12 }, (_, row) => (
        <div
          key={row}
          className="mt-2 skeleton h-4"
          style={{ marginLeft: `${(row * 13) % 40}%`, width: `${20 + ((row * 29) % 40)}%` }}
        />
      ))}
    </div>
  );
}
