/** What the server sends, by the names of its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AnyValue = Schemas['AnyValue'];
export type KeyValue = Schemas['KeyValue'];
export type LevelCounts = Schemas['LevelCounts'];
export type LogHistogram = Schemas['LogHistogram'];
export type LogList = Schemas['LogList'];
export type LogPage = Schemas['LogPage'];
export type MetricList = Schemas['MetricList'];
export type MetricSeriesList = Schemas['MetricSeriesList'];
export type LogRecord = Schemas['LogRecord'];
export type OperationList = Schemas['OperationList'];
export type ServiceList = Schemas['ServiceList'];
export type PerfettoInfo = Schemas['PerfettoInfo'];
export type PerfettoValidation = Schemas['PerfettoValidation'];
export type PerfettoProgress = Schemas['PerfettoProgress'];
export type PerfettoRequest = Schemas['PerfettoRequest'];
export type Process = Schemas['Process'];
export type ProcessList = Schemas['ProcessList'];
export type ProcessStatistics = Schemas['ProcessStatistics'];
export type Span = Schemas['Span'];
export type SpanEvent = Schemas['SpanEvent'];
export type SpanKind = Schemas['SpanKind'];
export type SpanLink = Schemas['SpanLink'];
export type StatusCode = Schemas['StatusCode'];
export type Timeline = Schemas['Timeline'];
export type TimelineSlice = Schemas['TimelineSlice'];
export type TimelineTrack = Schemas['TimelineTrack'];
export type Trace = Schemas['Trace'];
export type TraceKind = Schemas['TraceKind'];
export type TraceList = Schemas['TraceList'];
export type TraceProcess = Schemas['TraceProcess'];
export type TraceSummary = Schemas['TraceSummary'];
