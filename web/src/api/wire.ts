/** What the server sends, byte for byte. */

/** A value with its type, as OTLP/JSON has it. */
export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  /** Decimal digits. */
  intValue?: string;
  /** `NaN`, `Infinity` and `-Infinity` are strings. */
  doubleValue?: number | string;
  /** Base64. */
  bytesValue?: string;
  arrayValue?: { values: AnyValue[] };
  kvlistValue?: { values: KeyValue[] };
}

export interface KeyValue {
  key: string;
  value: AnyValue;
}

export type SpanKind = 'UNSPECIFIED' | 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
export type StatusCode = 'UNSET' | 'OK' | 'ERROR';
export type TraceKind = 'http' | 'rpc' | 'database' | 'messaging' | 'other';

export interface TraceSummary {
  trace_id: string;
  root_service: string;
  root_name: string;
  start_time: string;
  duration_ns: string;
  span_count: number;
  error_count: number;
  services: string[];
  kind: TraceKind;
}

export interface TraceList {
  traces: TraceSummary[];
  next_cursor?: string | null;
}

export interface SpanEvent {
  time: string;
  name: string;
  attributes: KeyValue[];
}

export interface SpanLink {
  trace_id: string;
  span_id: string;
  trace_state: string;
  attributes: KeyValue[];
}

export interface Span {
  trace_id: string;
  span_id: string;
  parent_span_id?: string | null;
  process_id: string;
  service_name: string;
  name: string;
  kind: SpanKind;
  start_time: string;
  /** Absent while the span is open. */
  end_time?: string | null;
  status_code: StatusCode;
  status_message: string;
  thread_id?: string | null;
  thread_name?: string | null;
  scope_name: string;
  scope_version: string;
  trace_state: string;
  flags: number;
  attributes: KeyValue[];
  dropped_attributes_count: number;
  dropped_events_count: number;
  dropped_links_count: number;
  events: SpanEvent[];
  links: SpanLink[];
}

export interface TraceProcess {
  process_id: string;
  service_name: string;
  resource: KeyValue[];
}

export interface Trace {
  trace_id: string;
  spans: Span[];
  processes: TraceProcess[];
}

export interface LogRecord {
  time: string;
  observed_time?: string | null;
  process_id: string;
  service_name: string;
  severity_number: number;
  severity_text: string;
  /** `FATAL` to `TRACE`; absent when no severity was given. */
  level?: string;
  scope_name: string;
  event_name: string;
  body: AnyValue;
  trace_id?: string | null;
  span_id?: string | null;
  flags: number;
  attributes: KeyValue[];
}

export interface LogList {
  logs: LogRecord[];
}

export interface ServiceList {
  services: { name: string }[];
}

export interface OperationList {
  operations: { name: string }[];
}
