import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { type Timeline, type TimelineSlice, timelineQuery } from '@/api/timeline';
import { between, toDrawable } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { panBy, wholeOf, type Zoom, zoomAround, zoomFromText, zoomText, zoomTo } from '@/base/zoom';
import { Button, IconButton } from '@/ui/button';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon } from '@/ui/icons';
import { MINIMAP_PADDING, Minimap } from '@/ui/minimap';
import { useSettled } from '@/ui/settled';
import { useSize } from '@/ui/size';
import { EmptyState, ErrorState } from '@/ui/states';
import type { ProcessPageSearch } from '../search';
import { Chart, type ChartHandle } from './chart';
import { drawSmall, isCoarse, isSame, linesOf, sliceText, withSlicesOf } from './flame';
import { SlicePanel } from './slice-panel';
import { type Place, placesOf, step } from './steps';
import { windowOf } from './window';

/** What the threads of a process and its asynchronous work did over time. */
export function ProcessTimeline({ processId, search }: { processId: string; search: ProcessPageSearch }) {
  const frame = useRef<HTMLDivElement>(null);
  const { width } = useSize(frame);
  const whole = useQuery({ ...timelineQuery(processId, wholeColumns(width), null), enabled: width > 0 });
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

/** Two pixels are the least that is told apart. Steps keep a dragged window from asking again and again. */
function wholeColumns(width: number): number {
  return Math.ceil(width / 2 / 200) * 200;
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
  const [zoom, setZoom] = useState(() => zoomFromText(search.zoom, length));
  useSettled({
    value: zoomText(zoom, length),
    linked: search.zoom,
    write: (text) => link({ zoom: text }),
    read: (text) => setZoom(zoomFromText(text, length)),
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
    read: setSpanId,
  });

  const window = useRested(useMemo(() => windowOf(zoom, length), [zoom, length]));
  const part = useQuery({
    ...timelineQuery(
      processId,
      window === null ? 1 : partColumns(window, zoom, width),
      window === null ? null : { origin: whole.origin, window },
    ),
    enabled: window !== null,
    placeholderData: keepPreviousData,
  });
  const finer =
    window !== null && part.data?.window != null && covers(part.data.window, zoom) ? part.data : null;
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => new Set());
  const shown = finer ?? whole;
  const lines = useMemo(
    () => linesOf(finer === null ? whole.tracks : withSlicesOf(whole, finer), folded),
    [whole, finer, folded],
  );
  const small = useMemo(() => linesOf(whole.tracks, new Set()), [whole]);
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
  const moved = (by: 'left' | 'right' | 'up' | 'down') => () => go(step(places, place, by, zoom));
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
    { keys: ['Enter'], label: 'Open the span in its trace', run: openTrace },
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
          <Told timeline={shown} isLoading={part.isFetching} />
        </p>
        {part.isError && (
          <p role="alert" className="flex items-center gap-2 text-xs text-error">
            Finer detail could not be loaded: {part.error.message}
            <Button onClick={() => void part.refetch()}>Try again</Button>
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
        selected={panelSlice}
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

/** As fine in all of the window as the pixels of the shown part are. */
function partColumns(window: Zoom, zoom: Zoom, width: number): number {
  const step = 2 ** Math.ceil(Math.log2(Math.max(zoom.to - zoom.from, 1))) / 2;
  return ((window.to - window.from) / step) * wholeColumns(width);
}

const RESTED_MS = 120;

/** A value that changes only when it has rested: while the hand moves, nothing is asked for. */
function useRested(value: Zoom | null): Zoom | null {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const isSame = (before: Zoom | null) => before?.from === value?.from && before?.to === value?.to;
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
