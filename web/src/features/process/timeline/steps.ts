import type { TimelineRow, TimelineSlice, TimelineTrack } from '@/api/timeline';
import type { Zoom } from '@/base/zoom';
import { type Lines, trackKey } from './flame';

/** A slice and where it is drawn. */
export interface Place {
  slice: TimelineSlice;
  track: TimelineTrack;
  row: TimelineRow;
  /** Number of its line, and of it on the line. */
  line: number;
  at: number;
  start: number;
  end: number;
}

/** All slices, line by line. */
export function placesOf(lines: Lines): Place[] {
  return lines.all.flatMap((line, number) =>
    line.kind === 'track'
      ? []
      : line.row.slices.map((slice, at) => ({
          slice,
          track: line.track,
          row: line.row,
          line: number,
          at,
          start: line.row.starts[at]!,
          end: line.row.ends[at]!,
        })),
  );
}

/** The slice beside another one, or the nearest on the next line that has one in sight; without one, the first in sight. */
export function step(
  places: readonly Place[],
  from: Place | undefined,
  by: 'left' | 'right' | 'up' | 'down',
  zoom: Zoom,
): Place | undefined {
  const inSight = ({ start, end }: Place) => end >= zoom.from && start <= zoom.to;
  if (from === undefined) return places.find(inSight);
  if (by === 'left' || by === 'right') {
    const at = from.at + (by === 'right' ? 1 : -1);
    return places.find((place) => place.line === from.line && place.at === at);
  }
  const isBeyond = ({ line }: Place) => (by === 'down' ? line > from.line : line < from.line);
  const isNext = (place: Place) => isBeyond(place) && inSight(place);
  const line = (by === 'down' ? places.find(isNext) : places.findLast(isNext))?.line;
  const distance = ({ start, end }: Place) => Math.max(start - from.end, from.start - end, 0);
  return places
    .filter((place) => place.line === line && inSight(place))
    .reduce<Place | undefined>(
      (best, place) => (best === undefined || distance(place) < distance(best) ? place : best),
      undefined,
    );
}

/** The next of a row among all slices, when the part that is known in detail has no more. */
export function beyond(
  whole: readonly Place[],
  from: Place,
  by: 'left' | 'right' | 'up' | 'down',
): Place | undefined {
  if (by !== 'left' && by !== 'right') return undefined;
  const isOfRow = ({ track, row }: Place) =>
    trackKey(track) === trackKey(from.track) && row.lane === from.row.lane && row.depth === from.row.depth;
  return by === 'right'
    ? whole.find((place) => isOfRow(place) && place.start > from.start && place.start >= from.end)
    : whole.findLast((place) => isOfRow(place) && place.end <= from.start);
}
