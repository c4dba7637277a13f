import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type CallFigures, requestSeriesQuery, type SpanSeries } from '@/api/services';
import { formatDuration } from '@/base/durations';
import { type Duration, fromDrawable, type Nanos } from '@/base/nanos';
import type { TimeRange } from '@/base/time-range';
import { type Line, LineChart } from '@/ui/line-chart';
import { serviceLabel } from '@/ui/service';
import { Card, Problem } from './card';
import { formatRate, rateOf } from './figures';

const POINTS = 60;
const CHART = 140;

/** Rate, errors and durations of the requests over time. */
export function Requests(props: {
  service: string;
  range: TimeRange;
  interval: number | false;
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const query = useQuery({
    ...requestSeriesQuery(props.service, props.range, POINTS),
    placeholderData: keepPreviousData,
    refetchInterval: props.interval,
  });
  const { data } = query;
  const rates = useMemo(() => (data === undefined ? [] : rateLines(data)), [data]);
  const quantiles = useMemo(() => (data === undefined ? [] : quantileLines(data)), [data]);
  if (data === undefined) {
    return (
      <>
        {['Rate and errors', 'Durations over time'].map((title) => (
          <Card key={title} title={title}>
            {query.isError ? (
              <Problem error={query.error} retry={() => void query.refetch()} />
            ) : (
              <div className="mx-4 mb-3 skeleton opacity-40" style={{ height: CHART }} />
            )}
          </Card>
        ))}
      </>
    );
  }
  const chart = {
    from: data.from,
    to: data.to,
    step: data.step ?? (1n as Duration),
    height: CHART,
    onSelect: props.onSelect,
  };
  return (
    <>
      <Card title="Rate and errors">
        <div className="px-2 pb-2">
          <LineChart
            {...chart}
            label={`Requests of ${serviceLabel(props.service)} over time`}
            lines={rates}
            format={formatRate}
            formatTick={formatRate}
          />
        </div>
      </Card>
      <Card title="Durations over time">
        <div className="px-2 pb-2">
          <LineChart
            {...chart}
            label={`Durations of the requests of ${serviceLabel(props.service)} over time`}
            lines={quantiles}
            format={(nanos) => formatDuration(fromDrawable(nanos))}
            formatTick={(nanos) => formatDuration(fromDrawable(nanos))}
          />
        </div>
      </Card>
    </>
  );
}

/** Points stand in the middle of their step. */
const middle = (time: Nanos, step: Duration) => (time + step / 2n) as Nanos;

/** A step without requests has a rate of nothing; one that goes on has that of its time so far. */
function rateLines({ points, step, from, to }: SpanSeries): Line[] {
  if (step === null) return [];
  const known = new Map(points.map(({ time, spans }) => [time, spans]));
  const steps: { time: Nanos; end: Nanos; spans: CallFigures | undefined }[] = [];
  for (let time = ((from / step) * step) as Nanos; time < to; time = (time + step) as Nanos) {
    const end = (time + step < to ? time + step : to) as Nanos;
    // Too short a time has no rate.
    if (time >= from && end - time >= step / 10n) steps.push({ time, end, spans: known.get(time) });
  }
  const line = (label: string, of: 'count' | 'errors'): Line => ({
    label,
    points: steps.map(({ time, end, spans }) => ({
      time: middle(time, step),
      value: rateOf(spans?.[of] ?? 0, time, end),
    })),
  });
  return [line('Requests', 'count'), line('Errors', 'errors')];
}

function quantileLines({ points, step }: SpanSeries): Line[] {
  if (step === null) return [];
  return (['p50', 'p95', 'p99'] as const).map((quantile) => ({
    label: { p50: 'Median', p95: '95 %', p99: '99 %' }[quantile],
    points: points.map(({ time, spans }) => ({
      time: middle(time, step),
      value: spans[quantile] === null ? null : Number(spans[quantile]),
    })),
  }));
}
