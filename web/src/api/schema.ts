// Made by "npm run generate" from openapi.json. Do not edit.
export interface paths {
    "/api/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Searches log records, newest first. */
        get: operations["list_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/histogram": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts log records over time, by level. */
        get: operations["log_histogram"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists metrics, by name. */
        get: operations["list_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/metrics/attributes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what tells the series of a metric apart: keys of attributes with their values, and `service_name`,
         *     `process_id` and `scope_name`, in how many series each is.
         */
        get: operations["metric_attributes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/metrics/exemplars": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists observations behind a metric that tell of their trace: the greatest of each step of time. */
        get: operations["metric_exemplars"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/metrics/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Values of a metric over time, put together so that there are not too many.
         * @description A gauge, and a sum that is not monotonic, is averaged. A monotonic sum becomes its growth per second. A histogram becomes
         *     percentiles, average and rate of the observations of each step; a summary their average and rate.
         *
         *     With `aggregate`, series become one, or one for each value of `by`: a value is the sum, average, least or greatest of
         *     theirs; observations of histograms are put together whichever it is. A step is then at least twice as long as points
         *     are usually apart, so that each of nine series in ten counts in each; steps that the ends of the time cut off are left
         *     out.
         */
        get: operations["metric_series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/perfetto/{process_id}/generate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The same with progress: lines of JSON (`progress`, then `plan`), a line `{"type":"binary_start"}`, then the bytes of
         *     the trace. When it fails after that, the connection is aborted; before, a line `error` says why and is the last.
         */
        post: operations["perfetto_generate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/perfetto/{process_id}/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts what a Perfetto trace of a process would hold. */
        get: operations["perfetto_info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/perfetto/{process_id}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A Perfetto trace of a process.
         * @description It is made while it is read; closing the connection stops the work. When it fails after it has begun, the
         *     connection is aborted: what ends well is whole.
         */
        get: operations["perfetto_trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/perfetto/validate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Checks a Perfetto trace strictly: what Perfetto would repair or drop without a word is an error here. */
        post: operations["perfetto_validate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/process/{process_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One process. */
        get: operations["get_process"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/process/{process_id}/log-entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Searches the log records of a process, newest first. */
        get: operations["list_process_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/process/{process_id}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the metrics of a process, by name. */
        get: operations["list_process_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/process/{process_id}/spans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The spans of a process, with their events and links, as a file for another tool.
         * @description It is made while it is read; when it fails after it has begun, the connection is aborted: what ends well is whole.
         */
        get: operations["process_spans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/process/{process_id}/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts what a process has sent. */
        get: operations["get_process_statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/process/{process_id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the threads of a process and its asynchronous work did over time, with as much detail as is seen. */
        get: operations["get_process_timeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/processes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists processes, newest activity first. */
        get: operations["list_processes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Answers a question in SQL as a file.
         * @description As `POST /api/query`, for links and downloads.
         */
        get: operations["download_query"];
        put?: never;
        /**
         * Answers a question in SQL.
         * @description The answer is computed while it is read; closing the connection stops the work. When it fails after it
         *     has begun, the connection is aborted: an answer that ends well is whole.
         */
        post: operations["run_query"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists services with rate, errors and durations of their requests. */
        get: operations["list_services"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/services/{name}/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the operations of a service, most calls first. */
        get: operations["list_operations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/services/map": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The services of the spans that match, and the calls between them. Takes the conditions of `GET /v1/traces`: a call counts
         *     when the span of the called service meets them, and has ended.
         */
        get: operations["service_map"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/attributes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The attributes of matching spans and of their resources, with their most frequent values: of some of the newest
         *     spans. Takes the conditions of `GET /v1/traces`.
         */
        get: operations["trace_attributes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/differences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What tells selected spans from the others that match: which values of attributes are more frequent among them. Takes
         *     the conditions of `GET /v1/traces`; open spans are left out.
         */
        get: operations["trace_differences"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/heatmap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Numbers of the spans that match, those that have ended, by start and duration. Takes the conditions of
         *     `GET /v1/traces`. A span that was sent twice counts once; when the two differ, the one that is found first.
         */
        get: operations["trace_heatmap"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Rate, errors and durations of the spans that match over time. Takes the conditions of `GET /v1/traces`; a span counts
         *     when it has ended.
         */
        get: operations["trace_series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/spans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Receives spans as Zipkin reporters send them. */
        post: operations["send_zipkin_spans"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the saved views, by name. */
        get: operations["list_views"];
        put?: never;
        /** Keeps a view. */
        post: operations["create_view"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/views/{view_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes a view. */
        put: operations["change_view"];
        post?: never;
        /** Forgets a view. */
        delete: operations["delete_view"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives (also at `/health`). */
        get: operations["liveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the server can take data, with each part's state (also at `/api/health`). A part that fails and is not
         *     needed for that, such as compaction, leaves the server ready.
         */
        get: operations["readiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures of the lake, the requests and the process, for Prometheus. */
        get: operations["prometheus_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Receives log records (OTLP). */
        post: operations["send_logs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Receives metric data points (OTLP). */
        post: operations["send_metrics"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Finds traces, newest first. A trace matches when one of its spans meets every condition. */
        get: operations["find_traces"];
        put?: never;
        /** Receives spans: OTLP, or native JSON told by its top-level key `spans`. */
        post: operations["send_traces"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/{trace_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The whole trace, every span with all it carries. */
        get: operations["get_trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/{trace_id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The log records of a trace, earliest first. */
        get: operations["trace_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/{trace_id}/outline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The shape of a trace: what is drawn of it, in columns. */
        get: operations["trace_outline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/{trace_id}/spans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Finds spans within a trace. */
        get: operations["find_spans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/{trace_id}/spans/{span_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A span of a trace with all it carries, and its process. */
        get: operations["get_span"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/traces/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Receives native spans over a WebSocket.
         * @description A text frame is `{"spans":[…]}` or one span; each is answered with `ack` once its spans are durable, or
         *     with `error`. `{"type":"ping"}` is answered with `pong`.
         */
        get: operations["span_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A typed value, in the form of OTLP/JSON: at most one member is present, none means an empty value. */
        AnyValue: {
            /**
             * @description A list.
             * @default null
             */
            arrayValue?: components["schemas"]["ArrayValue"];
            /**
             * @description A boolean.
             * @default null
             */
            boolValue?: boolean;
            /**
             * @description Bytes as base64.
             * @default null
             */
            bytesValue?: string;
            doubleValue?: number | ("NaN" | "Infinity" | "-Infinity");
            /**
             * @description A 64-bit integer as a decimal string.
             * @default null
             */
            intValue?: string;
            /**
             * @description Keys and values.
             * @default null
             */
            kvlistValue?: components["schemas"]["KeyValueList"];
            /**
             * @description Text.
             * @default null
             */
            stringValue?: string;
        };
        /** @description A list of values. */
        ArrayValue: {
            /** @description The values. */
            values: components["schemas"]["AnyValue"][];
        };
        /** @description Key of an attribute. */
        AttributeKey: {
            /** @description The key. */
            key: string;
            /** @description What has it: `span` or `resource`. */
            place: string;
            /** @description Spans that have it. */
            spans: string;
            /** @description The most frequent values, the most frequent first. */
            values: components["schemas"]["AttributeValue"][];
        };
        /** @description Attributes that spans have. */
        AttributeSurvey: {
            /** @description Keys, the most frequent first. */
            keys: components["schemas"]["AttributeKey"][];
            /** @description Spans that were looked at: of those that match some of the newest. */
            spans: string;
        };
        /** @description A value of an attribute. */
        AttributeValue: {
            /** @description Spans that have it. */
            spans: string;
            /** @description The value as text. */
            value: string;
        };
        /** @description How many calls, how many of them failed, and how long they took. Quantiles lie within 1 % of exact ones (nearest rank). */
        CallFigures: {
            /** @description How many. */
            count: string;
            /** @description Those whose status is ERROR. */
            errors: string;
            /** @description Median duration, nanoseconds; absent when none has ended. */
            p50_ns?: string;
            /** @description 95th percentile, nanoseconds. */
            p95_ns?: string;
            /** @description 99th percentile, nanoseconds. */
            p99_ns?: string;
        };
        /** @description A view that replaces an earlier revision of itself. */
        ChangedView: {
            /** @description Path and query of the link, at most 32 KiB. */
            link: string;
            /** @description Its name: 1 to 200 characters. */
            name: string;
            /**
             * Format: int64
             * @description The revision that was read; when it is not the newest any more, nothing is changed.
             */
            revision: number;
        };
        /** @description What tells selected spans from the rest. */
        Differences: {
            /** @description Spans that match the search and are not selected. */
            rest: string;
            /** @description Spans that are selected. */
            selected: string;
            /**
             * @description Values whose share among the selected is greater by five hundredths or more, and by three standard errors; the
             *     greatest difference first.
             */
            values: components["schemas"]["ValueDifference"][];
        };
        /** @description The body of every answer that is not a success. */
        ErrorBody: {
            /** @description What went wrong. */
            error: components["schemas"]["ErrorDetail"];
        };
        /** @description What went wrong. */
        ErrorDetail: {
            /** @description Where it is, or what would work instead. */
            details?: string;
            /** @description One sentence for people. */
            message: string;
            /** @description What kind of failure it is, for programs. */
            type: components["schemas"]["ErrorKind"];
        };
        /**
         * @description Kinds of failure; each has one HTTP status.
         * @enum {string}
         */
        ErrorKind: "invalid_request" | "query_limit" | "forbidden" | "not_found" | "method_not_allowed" | "timeout" | "conflict" | "payload_too_large" | "unsupported_media_type" | "overloaded" | "internal" | "unavailable";
        /** @description Spans that were found within a trace. */
        FoundSpans: {
            /** @description Whether there are more. */
            more: boolean;
            /** @description Their ids, 16 lower-case hex digits each, in order of start, then of id. */
            span_ids: string[];
        };
        /** @description Whether the server can take data. */
        Health: {
            /** @description Each part's state. */
            parts: components["schemas"]["PartHealth"][];
            /** @description `ok` when data can be taken, even if a part that is not needed for that fails. */
            status: components["schemas"]["HealthState"];
            /** @description Version of the server. */
            version: string;
        };
        /**
         * @description Whether something works.
         * @enum {string}
         */
        HealthState: "ok" | "failing";
        /** @description Numbers of spans by start and duration. */
        Heatmap: {
            /** @description The least duration of each row, in nanoseconds; the first row also has what is less, the last has no end. */
            bounds_ns: string[];
            /** @description The cells that have spans, in order of time, then of duration. */
            cells: components["schemas"]["HeatmapCell"][];
            /** @description How much time a column covers, in nanoseconds; absent when there are no spans. */
            step_ns?: string;
        };
        /** @description Spans of about the same start and duration. */
        HeatmapCell: {
            /** @description Spans whose status is ERROR. */
            errors: string;
            /**
             * Format: int32
             * @description Position of the row in `bounds_ns`.
             */
            row: number;
            /** @description Spans. */
            spans: string;
            /** @description Where the column begins, Unix nanoseconds: a multiple of the step. */
            time: string;
        };
        /** @description Answer to native spans: success means durable and visible to the next query. */
        IngestAnswer: {
            /** @description Spans kept. */
            accepted: number;
            /** @description Spans refused, with reasons; at most 100 are listed. */
            rejected: components["schemas"]["Rejection"][];
        };
        /** @description One attribute, in the form of OTLP/JSON. */
        KeyValue: {
            /** @description Name of the attribute. */
            key: string;
            /** @description Its value. */
            value: components["schemas"]["AnyValue"];
        };
        /** @description Keys and values. */
        KeyValueList: {
            /** @description The entries. */
            values: components["schemas"]["KeyValue"][];
        };
        /** @description Numbers of log records, as decimal strings. */
        LevelCounts: {
            debug: string;
            error: string;
            fatal: string;
            info: string;
            trace: string;
            /** @description Records without a severity number. */
            unspecified: string;
            warn: string;
        };
        /** @description Whether the process lives. */
        Liveness: {
            /** @description Always `ok`: a process that is not well does not answer. */
            status: components["schemas"]["HealthState"];
        };
        /** @description Numbers of log records in a part of the time. */
        LogBucket: {
            /** @description Records of each level. */
            levels: components["schemas"]["LevelCounts"];
            /** @description Where it begins: a multiple of the step. */
            time: string;
        };
        /** @description Numbers of log records over time. */
        LogHistogram: {
            /** @description The buckets that have records, earliest first. */
            buckets: components["schemas"]["LogBucket"][];
            /** @description All records together. */
            levels: components["schemas"]["LevelCounts"];
            /** @description How much time a bucket covers, in nanoseconds; absent when there are no records and no time was asked for. */
            step_ns?: string;
        };
        /** @description Log records, earliest first. */
        LogList: {
            /** @description The records. */
            logs: components["schemas"]["LogRecord"][];
        };
        /** @description A page of log records. */
        LogPage: {
            /** @description The records, in the order asked for. */
            logs: components["schemas"]["LogRecord"][];
            /** @description `cursor` of the next page; absent on the last. */
            next_cursor?: string;
        };
        /** @description A log record. */
        LogRecord: {
            /** @description Attributes with their types. */
            attributes: components["schemas"]["KeyValue"][];
            /** @description Body with its type. */
            body: components["schemas"]["AnyValue"];
            /** @description Name of the event, when the record is one. */
            event_name: string;
            /**
             * Format: int32
             * @description OTLP log record flags; the lowest 8 bits are the W3C trace flags.
             */
            flags: number;
            /** @description `FATAL`, `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`; absent when no severity was given. */
            level?: string;
            /** @description When the collection system saw it, Unix nanoseconds. */
            observed_time?: string;
            /** @description UUID of the process that sent it. */
            process_id: string;
            /** @description Instrumentation scope. */
            scope_name: string;
            /** @description `service.name` of the process. */
            service_name: string;
            /**
             * Format: int32
             * @description OpenTelemetry severity number, 1 to 24; 0 when not given.
             */
            severity_number: number;
            /** @description Severity as the sender wrote it. */
            severity_text: string;
            /** @description 16 lower-case hex digits. */
            span_id?: string;
            /** @description Unix nanoseconds. */
            time: string;
            /** @description 32 lower-case hex digits. */
            trace_id?: string;
        };
        /** @description What is known of a metric. */
        Metric: {
            /** @description What it measures; empty when not said. */
            description: string;
            /** @description When the first point was taken. */
            first_time: string;
            /** @description `GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`. */
            kind: string;
            /** @description When the last was taken. */
            last_time: string;
            /** @description Its name. */
            name: string;
            /** @description Data points. */
            point_count: string;
            /** @description When the first interval of a sum or histogram began, Unix nanoseconds; absent when not said. */
            start_time?: string;
            /** @description Unit (UCUM); empty when not said. */
            unit: string;
        };
        /** @description A key of attributes, or `service_name`, `process_id` or `scope_name`. */
        MetricAttribute: {
            /**
             * Format: int64
             * @description How many more there are.
             */
            hidden_value_count: number;
            /** @description The key. */
            key: string;
            /** @description Its values, those of most series first. */
            values: components["schemas"]["MetricAttributeValue"][];
        };
        /** @description What tells the series of a metric apart. */
        MetricAttributeList: {
            /** @description The keys: those with several values first, then by name. */
            attributes: components["schemas"]["MetricAttribute"][];
            /** @description Whether those are all. */
            is_complete: boolean;
            /**
             * Format: int64
             * @description How many series were looked at.
             */
            series_count: number;
        };
        /** @description A value of a key. */
        MetricAttributeValue: {
            /**
             * Format: int64
             * @description In how many series it is.
             */
            series_count: number;
            /** @description The value as text. */
            value: string;
        };
        /** @description An observation with the span in which it was made. */
        MetricExemplar: {
            /** @description `service.name` of who made it. */
            service_name: string;
            /** @description The span; absent when not said. */
            span_id?: string;
            /** @description When it was made, Unix nanoseconds. */
            time: string;
            /** @description The trace. */
            trace_id: string;
            /**
             * Format: double
             * @description What was observed.
             */
            value: number;
        };
        /** @description Observations behind a metric. */
        MetricExemplarList: {
            /** @description The exemplars, earliest first. */
            exemplars: components["schemas"]["MetricExemplar"][];
        };
        /** @description Metrics, by name. */
        MetricList: {
            /**
             * Format: int32
             * @description How many more there are.
             */
            hidden_metric_count: number;
            /** @description The metrics. */
            metrics: components["schemas"]["Metric"][];
        };
        /** @description The values of one process and one set of attributes, or of several that are put together. */
        MetricSeries: {
            /** @description Attributes of the points, or what keeps apart those that are put together: absent where a series has none. */
            attributes: components["schemas"]["KeyValue"][];
            /** @description The values, earliest first. Where no point was sent, there is none. */
            points: components["schemas"]["MetricValues"][];
            /** @description The process; absent where series are put together. */
            process_id?: string;
            /** @description Instrumentation scope; empty when not said, and where series are put together. */
            scope_name: string;
            /**
             * Format: int64
             * @description How many series it is made of.
             */
            series_count: number;
        };
        /** @description Values of a metric over time. */
        MetricSeriesList: {
            /**
             * @description What each value of a point is: `value`, `rate` (per second), `average` (of observations), or percentiles of
             *     observations such as `p50` and `p99.9`.
             */
            columns: string[];
            /**
             * Format: int32
             * @description How many more there are; no more than about a million are counted.
             */
            hidden_series_count: number;
            /**
             * @description The series with the greatest values: on average of a gauge, in all of a counter, by the number of observations of a
             *     histogram; of the first thousand that come.
             */
            series: components["schemas"]["MetricSeries"][];
            /**
             * Format: int64
             * @description Points that are left out, because they are of another kind of metric with the name.
             */
            skipped_point_count: number;
            /** @description How much time a value stands for, in nanoseconds. */
            step_ns: string;
        };
        /** @description Values at a moment. */
        MetricValues: {
            /** @description The middle of the step, Unix nanoseconds. */
            time: string;
            /** @description As `columns` says; null where there is none. */
            values: (number | null)[];
        };
        /** @description A view to keep. */
        NewView: {
            /** @description Path and query of the link, at most 32 KiB. */
            link: string;
            /** @description Its name: 1 to 200 characters. */
            name: string;
        };
        /** @description Spans of one name and kind: rate, errors and durations, computed on read. */
        Operation: {
            /** @description Spans whose status is ERROR. */
            error_count: string;
            /** @description Kind of the spans: `UNSPECIFIED`, `INTERNAL`, `SERVER`, `CLIENT`, `PRODUCER` or `CONSUMER`. */
            kind: string;
            /** @description Longest, nanoseconds. */
            max_ns?: string;
            /** @description Name of the spans. */
            name: string;
            /** @description Median duration, nanoseconds. */
            p50_ns?: string;
            /** @description 95th percentile, nanoseconds. */
            p95_ns?: string;
            /** @description 99th percentile, nanoseconds. */
            p99_ns?: string;
            /** @description How many spans. */
            span_count: string;
        };
        /** @description Operations of a service, most calls first. */
        OperationList: {
            /** @description The operations. */
            operations: components["schemas"]["Operation"][];
        };
        /** @description Events in columns. Equal ones of a span are told once. */
        OutlineEvents: {
            /** @description Positions in `names`. */
            names: number[];
            /** @description Positions of the spans. */
            spans: number[];
            /** @description Times, in nanoseconds after `start_time`. */
            times: number[];
        };
        /** @description State of one part. */
        PartHealth: {
            /** @description Name of the part, for example `wal`, `catalog`, `object_store`. */
            part: string;
            /** @description What is wrong. */
            problem?: string;
            /** @description Whether it works. */
            status: components["schemas"]["HealthState"];
        };
        /** @description Exact numbers of rows, as decimal strings. */
        PerfettoCounts: {
            /** @description The other spans. */
            async: string;
            /** @description Events of spans. */
            events: string;
            /** @description Links of spans. */
            links: string;
            /** @description Log records. */
            logs: string;
            /** @description Metric data points. */
            metrics: string;
            /** @description Of all spans, those without an end. */
            open: string;
            /** @description Spans that say which thread they ran on. */
            thread: string;
        };
        /** @description What a Perfetto trace of a process would hold. */
        PerfettoInfo: {
            /** @description The earliest moment that rows tell of; absent when there are no rows. */
            begin?: string;
            /** @description Rows of each kind. */
            counts: components["schemas"]["PerfettoCounts"];
            /** @description The latest moment that rows tell of. */
            end?: string;
            /** @description Size in bytes, extrapolated from the first rows. */
            estimated_bytes: string;
            /**
             * Format: double
             * @description Seconds to write it for a reader that keeps up, likewise.
             */
            estimated_seconds: number;
            /** @description Events of the trace, about: who reads the trace can tell by them how far it is. */
            packets: string;
            /** @description The process. */
            process_id: string;
        };
        /** @description A line before the bytes of a generated trace. */
        PerfettoProgress: {
            /** @description What they hold so far. */
            counts: components["schemas"]["PerfettoCounts"];
            /**
             * Format: int64
             * @description Batches and files that were looked at, …
             */
            done: number;
            /**
             * Format: int64
             * @description … of so many.
             */
            total: number;
            /** @enum {string} */
            type: "progress";
        } | (components["schemas"]["PerfettoInfo"] & {
            /** @enum {string} */
            type: "plan";
        }) | {
            /** @description What went wrong. */
            message: string;
            /** @enum {string} */
            type: "error";
        } | {
            /** @enum {string} */
            type: "binary_start";
        };
        /** @description Which rows a Perfetto trace is made of. */
        PerfettoRequest: {
            /** @description From this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. Spans that began before are cut. */
            begin?: string;
            /** @description Before this time. */
            end?: string;
            /** @description Of `thread`, `async`, `logs` and `metrics`; all of them when not given. */
            kinds?: string[];
        };
        /** @description What is in a Perfetto trace, and what is wrong with it. */
        PerfettoValidation: {
            /**
             * Format: int64
             * @description Values of counters.
             */
            counters: number;
            /**
             * Format: int64
             * @description How much is wrong.
             */
            error_count: number;
            /** @description What is wrong; the first of it. */
            errors: string[];
            /**
             * Format: int64
             * @description Arrows.
             */
            flows: number;
            /**
             * Format: int64
             * @description Of them, those that were not checked, because there were too many.
             */
            flows_unchecked: number;
            /**
             * Format: int64
             * @description Points.
             */
            instants: number;
            /** @description Whether nothing is wrong. */
            is_valid: boolean;
            /**
             * Format: int64
             * @description Of them, those that never end.
             */
            open_slices: number;
            /**
             * Format: int64
             * @description Packets.
             */
            packets: number;
            /**
             * Format: int64
             * @description Slices that begin.
             */
            slices: number;
            /**
             * Format: int64
             * @description Tracks.
             */
            tracks: number;
        };
        /** @description A process: one run of a program, one OpenTelemetry resource instance. */
        Process: {
            /** @description `host.arch`. */
            arch?: string;
            /** @description Command line. */
            command_line?: string;
            /** @description Rows of the process in the time asked for; absent when they were not to be counted. */
            counts?: components["schemas"]["ProcessCounts"];
            /** @description `deployment.environment.name`. */
            environment?: string;
            /** @description Path or name of the executable. */
            executable?: string;
            /** @description When Glasshouse first heard of it, Unix nanoseconds. */
            first_seen: string;
            /** @description `host.name`. */
            host_name?: string;
            /** @description When Glasshouse last heard of it, Unix nanoseconds. */
            last_update_time: string;
            /** @description `os.type`. */
            os?: string;
            /** @description The process that started this one, where the sender says so. */
            parent_process_id?: string;
            /** @description Operating system process id, as a decimal string. */
            pid?: string;
            /** @description UUID. */
            process_id: string;
            /** @description All resource attributes, as plain JSON; absent when they were not to be told. */
            properties?: {
                [key: string]: Record<string, never>;
            };
            /** @description The same with their types, each as it was sent; only in the answer for one process. */
            resource?: components["schemas"]["KeyValue"][];
            /** @description `process.runtime.name` and version. */
            runtime?: string;
            /** @description `telemetry.sdk.language`. */
            sdk_language?: string;
            /** @description `service.instance.id`. */
            service_instance_id?: string;
            /** @description `service.name`. */
            service_name: string;
            /** @description `service.namespace`. */
            service_namespace?: string;
            /** @description `service.version`. */
            service_version?: string;
            /** @description When it started, Unix nanoseconds. */
            start_time?: string;
            /** @description `process.owner`. */
            user_name?: string;
        };
        /** @description Exact numbers of rows, as decimal strings. */
        ProcessCounts: {
            /** @description Log records. */
            logs: string;
            /** @description Metric data points. */
            metrics: string;
            /** @description Spans. */
            spans: string;
        };
        /** @description A page of processes, newest activity first. */
        ProcessList: {
            /** @description `cursor` of the next page; absent on the last. */
            next_cursor?: string;
            /** @description The processes. */
            processes: components["schemas"]["Process"][];
        };
        /** @description What a process has sent, counted row by row. */
        ProcessStatistics: {
            /** @description Spans whose status is ERROR. */
            error_count: string;
            /** @description Time of its earliest row, Unix nanoseconds; absent when it has none. */
            first_time?: string;
            /** @description Time of its latest row, ends of spans included; absent when it has none. */
            last_time?: string;
            /** @description Log records of each level. */
            levels: components["schemas"]["LevelCounts"];
            /** @description Log records. */
            log_count: string;
            /** @description Metrics, by their names. */
            metric_count: string;
            /** @description Metric data points. */
            metric_point_count: string;
            /** @description Spans that have not ended. */
            open_span_count: string;
            /** @description Spans. */
            span_count: string;
            /** @description Threads that spans tell of. */
            thread_count: string;
            /** @description Traces that have a span of it. */
            trace_count: string;
        };
        /** @description A column of an answer. */
        QueryColumn: {
            /** @description Its Arrow type in full. */
            arrow_type: string;
            /** @description Name of the column. */
            name: string;
            /** @description Whether a value may be null. */
            nullable: boolean;
            /** @description How its values are written. */
            type: components["schemas"]["QueryValueType"];
        };
        /** @description A question in SQL. */
        QueryRequest: {
            /** @description Only rows from this time on are read: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
            from?: string;
            /** @description Most rows to answer. */
            limit?: number;
            /** @description Values of `$name` in the statement, by name: text, numbers, `true`, `false` or `null`. */
            parameters?: {
                [key: string]: Record<string, never>;
            };
            /**
             * Format: int64
             * @description Reads this snapshot of the lake's catalog only, without rows that are not in files yet.
             */
            snapshot?: number;
            /** @description One read-only statement. */
            sql: string;
            /** @description Only rows before this time are read. */
            to?: string;
        };
        /** @description Rows with the types of their columns. */
        QueryResult: {
            /** @description The columns, in order. */
            columns: components["schemas"]["QueryColumn"][];
            /**
             * Format: int64
             * @description How many rows there are.
             */
            row_count: number;
            /**
             * @description The rows: one value for each column. 64-bit integers, times (Unix nanoseconds) and decimals are
             *     strings; floats are numbers, or `"NaN"`, `"Infinity"`, `"-Infinity"`; bytes are hex digits.
             */
            rows: Record<string, never>[][];
            /** @description What it took; absent when nobody measured. */
            statistics?: components["schemas"]["QueryStatistics"];
        };
        /** @description What an answer took. */
        QueryStatistics: {
            /** @description Bytes read of files. */
            bytes_read: string;
            /** @description From the question until the last row was computed, in nanoseconds. */
            elapsed_ns: string;
            /**
             * Format: int64
             * @description Files that could not be ruled out before they were read.
             */
            files_read: number;
            /**
             * Format: int64
             * @description Files of the same tables that could.
             */
            files_skipped: number;
            /** @description Most memory that sorts, groups and joins held at once, in bytes. */
            peak_memory: string;
            /** @description From the question until its plan was made, in nanoseconds. */
            planning_ns: string;
            /** @description Rows that were looked at: not those which statistics and indexes rule out. */
            rows_read: string;
            /** @description Bytes written to disk for want of memory. */
            spilled_bytes: string;
        };
        /**
         * @description How the values of a column are written in JSON.
         * @enum {string}
         */
        QueryValueType: "boolean" | "integer" | "bigint" | "double" | "decimal" | "text" | "timestamp" | "duration" | "date" | "time" | "interval" | "binary" | "list" | "struct" | "map" | "null";
        /** @description A span that was refused while the others were kept. */
        Rejection: {
            /** @description Its position in the request, counted from zero. */
            index: number;
            /** @description What is wrong with it. */
            reason: string;
        };
        /** @description A place in the web app that was given a name. */
        SavedView: {
            /** @description UUID. */
            id: string;
            /** @description The place: path and query of the link, such as `/sql?sql=SELECT+1`. */
            link: string;
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description Changes with each change.
             */
            revision: number;
            /** @description When it was last changed, Unix nanoseconds. */
            updated_time: string;
        };
        /** @description Saved views, by name. */
        SavedViewList: {
            /** @description The views. */
            views: components["schemas"]["SavedView"][];
        };
        /**
         * @description A service: rate, errors and durations of its requests, computed on read.
         *
         *     A request is a span of kind SERVER or CONSUMER, or a span without a parent.
         */
        Service: {
            /** @description Requests whose status is ERROR. */
            error_count: string;
            /** @description Start of the earliest span, Unix nanoseconds. */
            first_seen: string;
            /** @description Start of the latest span, Unix nanoseconds. */
            last_seen: string;
            /** @description `service.name`. */
            name: string;
            /** @description Median duration of requests, nanoseconds. */
            p50_ns?: string;
            /** @description 95th percentile, nanoseconds. */
            p95_ns?: string;
            /** @description 99th percentile, nanoseconds. */
            p99_ns?: string;
            /** @description Processes that ran it. */
            process_count: string;
            /** @description Its requests. */
            request_count: string;
            /** @description Its spans. */
            span_count: string;
        };
        /** @description Calls from one node to another. */
        ServiceEdge: components["schemas"]["CallFigures"] & {
            /**
             * Format: int32
             * @description Position of the caller in `nodes`.
             */
            from: number;
            /**
             * Format: int32
             * @description Position of what is called.
             */
            to: number;
        };
        /** @description Services that were active in the time asked for, in alphabetical order. */
        ServiceList: {
            /** @description The services. */
            services: components["schemas"]["Service"][];
        };
        /** @description Services and the calls between them. */
        ServiceMap: {
            /** @description Calls, in the order of the nodes. */
            edges: components["schemas"]["ServiceEdge"][];
            /** @description Services in alphabetical order, then what they call that sends no spans itself. */
            nodes: components["schemas"]["ServiceNode"][];
        };
        /** @description A service, or something that services call. */
        ServiceNode: components["schemas"]["CallFigures"] & {
            /**
             * @description `service`; or what spans of kind CLIENT or PRODUCER name: `database` (by `db.system.name`), `messaging` (by
             *     `messaging.system`), `peer` (by `peer.service`, unless a service has this name). What is too many is `(others)`.
             */
            kind: string;
            /** @description `service.name`, or the name that callers give. */
            name: string;
        };
        /** @description A span with all it carries. */
        Span: {
            /** @description Attributes with their types. */
            attributes: components["schemas"]["KeyValue"][];
            /**
             * Format: int32
             * @description Attributes the sender dropped.
             */
            dropped_attributes_count: number;
            /**
             * Format: int32
             * @description Events the sender dropped.
             */
            dropped_events_count: number;
            /**
             * Format: int32
             * @description Links the sender dropped.
             */
            dropped_links_count: number;
            /** @description Nanoseconds; absent while the span is open. */
            duration_ns?: string;
            /** @description Unix nanoseconds; absent while the span is open. */
            end_time?: string;
            /** @description Events, in the sender's order. */
            events: components["schemas"]["SpanEvent"][];
            /**
             * Format: int32
             * @description OTLP span flags; the lowest 8 bits are the W3C trace flags.
             */
            flags: number;
            /** @description Role in a call. */
            kind: components["schemas"]["SpanKind"];
            /** @description Links to other spans. */
            links: components["schemas"]["SpanLink"][];
            /** @description Operation. */
            name: string;
            /** @description Parent span; absent for a root. */
            parent_span_id?: string;
            /** @description UUID of the process that sent it. */
            process_id: string;
            /** @description Instrumentation scope. */
            scope_name: string;
            /** @description Version of the instrumentation scope. */
            scope_version: string;
            /** @description `service.name` of the process. */
            service_name: string;
            /** @description 16 lower-case hex digits. */
            span_id: string;
            /** @description Unix nanoseconds. */
            start_time: string;
            /** @description How it ended. */
            status_code: components["schemas"]["StatusCode"];
            /** @description What went wrong; empty when not said. */
            status_message: string;
            /** @description Operating system thread id. */
            thread_id?: string;
            /** @description Name of the thread. */
            thread_name?: string;
            /** @description 32 lower-case hex digits. */
            trace_id: string;
            /** @description W3C `tracestate`. */
            trace_state: string;
        };
        /** @description A span and the process that sent it. */
        SpanDetails: {
            /** @description Its process; absent when nothing is known of it. */
            process?: components["schemas"]["TraceProcess"];
            /** @description The span. */
            span: components["schemas"]["Span"];
        };
        /** @description Something that happened at one moment of a span. */
        SpanEvent: {
            /** @description Attributes with their types. */
            attributes: components["schemas"]["KeyValue"][];
            /** @description Name of the event. */
            name: string;
            /** @description Unix nanoseconds. */
            time: string;
        };
        /**
         * @description Role of a span in a call.
         * @enum {string}
         */
        SpanKind: "UNSPECIFIED" | "INTERNAL" | "SERVER" | "CLIENT" | "PRODUCER" | "CONSUMER";
        /** @description A reference to another span. */
        SpanLink: {
            /** @description Attributes with their types. */
            attributes: components["schemas"]["KeyValue"][];
            /** @description 16 lower-case hex digits. */
            span_id: string;
            /** @description 32 lower-case hex digits. */
            trace_id: string;
            /** @description W3C `tracestate` of the link. */
            trace_state: string;
        };
        /** @description Spans that start in a part of the time. */
        SpanPoint: components["schemas"]["CallFigures"] & {
            /** @description Where it begins, Unix nanoseconds: a multiple of the step. */
            time: string;
        };
        /** @description Figures of spans over time. */
        SpanSeries: {
            /** @description The points that have spans, earliest first. */
            points: components["schemas"]["SpanPoint"][];
            /** @description How much time a point covers, in nanoseconds; absent when there are no spans. */
            step_ns?: string;
        };
        /**
         * @description How a span ended.
         * @enum {string}
         */
        StatusCode: "UNSET" | "OK" | "ERROR";
        /** @description What the span stream answers. Frames with spans are counted from 1; answers come in their order. */
        StreamAnswer: (components["schemas"]["IngestAnswer"] & {
            /**
             * Format: int64
             * @description Number of the frame.
             */
            sequence: number;
        } & {
            /** @enum {string} */
            type: "ack";
        }) | {
            /** @description Why. */
            error: components["schemas"]["ErrorDetail"];
            /**
             * Format: int64
             * @description When to send the frame again, where that helps.
             */
            retry_after_ms?: number;
            /**
             * Format: int64
             * @description Number of the frame.
             */
            sequence: number;
            /** @enum {string} */
            type: "error";
        } | {
            /** @enum {string} */
            type: "pong";
        };
        /** @description What a client of the span stream (`GET /v1/traces/stream`) may send besides spans. */
        StreamRequest: {
            /** @enum {string} */
            type: "ping";
        };
        /**
         * @description What the threads of a process and its asynchronous work did over time. Spans too short to be seen are put together, so
         *     that its size does not depend on how many there are.
         */
        Timeline: {
            /** @description The earliest moment of the time asked for that spans tell of; absent when there are none. */
            first_time?: string;
            /** @description Spans that are not drawn, because there were too many rows. */
            hidden_span_count: string;
            /** @description The latest. */
            last_time?: string;
            /** @description Names of slices; very long ones are cut. */
            names: string[];
            /** @description Spans that are drawn, alone or together. */
            span_count: string;
            /** @description Threads in the order of their ids, then what is asynchronous. */
            tracks: components["schemas"]["TimelineTrack"][];
        };
        /** @description Slices next to each other. */
        TimelineRow: {
            /**
             * Format: int32
             * @description How many slices of the lane these are in.
             */
            depth: number;
            /**
             * Format: int32
             * @description The lane: slices are within those of the lane's rows above. Lane 0 of a thread is what it did; others hold spans that
             *     say this thread and do not nest in that.
             */
            lane: number;
            /** @description Slices in order of start. */
            slices: components["schemas"]["TimelineSlice"][];
        };
        /** @description A span, or several that are too short to be seen alone. */
        TimelineSlice: {
            /** @description From there to when the last ended, in nanoseconds; absent while it is open. */
            duration_ns?: string;
            /** @description How many of the spans ended with an error. */
            error_count?: string;
            /**
             * Format: int32
             * @description Which of `names`, counted from 0: that of the longest span.
             */
            name: number;
            /** @description What several spans are together; absent when it is one. */
            several?: components["schemas"]["TimelineSpans"];
            /** @description Its id in the trace, when it is one span. */
            span_id?: string;
            /** @description When the first started. */
            start: string;
            /** @description Its trace, when it is one span. */
            trace_id?: string;
        };
        /** @description Several spans put together. */
        TimelineSpans: {
            /** @description How many. */
            count: string;
            /** @description How long the longest took, in nanoseconds. */
            longest_ns: string;
            /** @description How long they took together, in nanoseconds. */
            total_ns: string;
        };
        /** @description A thread, or what a process does asynchronously. */
        TimelineTrack: {
            /** @description Spans shorter than this, in nanoseconds, are put together with their neighbours. */
            resolution_ns: string;
            /** @description Rows in the order in which they stand below each other. */
            rows: components["schemas"]["TimelineRow"][];
            /** @description The thread's id; absent for what is asynchronous. */
            thread_id?: string;
            /** @description The thread's name, when it said one. */
            thread_name?: string;
        };
        /** @description A whole trace. */
        Trace: {
            /** @description The processes that the spans belong to. */
            processes: components["schemas"]["TraceProcess"][];
            /** @description The spans, earliest first. */
            spans: components["schemas"]["Span"][];
            /** @description 32 lower-case hex digits. */
            trace_id: string;
        };
        /**
         * @description What a trace is mainly about, told by the attributes of its root span, or failing that by those of all its spans:
         *     `mixed` when these tell several kinds.
         * @enum {string}
         */
        TraceKind: "http" | "rpc" | "query" | "build" | "database" | "messaging" | "mixed" | "other";
        /** @description A page of traces, newest first. */
        TraceList: {
            /** @description `cursor` of the next page; absent on the last. */
            next_cursor?: string;
            /** @description The traces. */
            traces: components["schemas"]["TraceSummary"][];
        };
        /**
         * @description The shape of a trace: what a waterfall or a flame graph draws, in columns, so that a trace of a million spans is some
         *     fifty megabytes. Each column has an entry for each span, in order of start, then of id. Times are numbers, for drawing:
         *     beyond 2^53 ns (104 days), JavaScript rounds them; a span asked for by itself is exact.
         */
        TraceOutline: {
            /** @description Durations in nanoseconds; null for an open span. */
            durations: (number | null)[];
            /** @description What happened within the spans, in order of span, then of time. */
            events: components["schemas"]["OutlineEvents"];
            /**
             * @description The kinds, a digit each, as OTLP numbers them: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer,
             *     5 consumer.
             */
            kinds: string;
            /** @description Ids of parents that are not here, written as `span_ids` are. */
            missing_parents: string;
            /** @description Names of spans and events, each once. */
            names: string[];
            /** @description Positions of the parents: -1 for a root; from the number of spans on, positions in `missing_parents`. */
            parents: number[];
            /** @description Services, each once. */
            services: string[];
            /** @description The spans' ids, 16 lower-case hex digits each, with nothing between them. */
            span_ids: string;
            /** @description Positions in `names`. */
            span_names: number[];
            /** @description Positions in `services`. */
            span_services: number[];
            /** @description Start of the earliest span, Unix nanoseconds. */
            start_time: string;
            /** @description Starts, in nanoseconds after `start_time`. */
            starts: number[];
            /** @description The status codes, a digit each, as OTLP numbers them: 0 unset, 1 ok, 2 error. */
            status_codes: string;
            /** @description 32 lower-case hex digits. */
            trace_id: string;
        };
        /** @description A process as a trace shows it. */
        TraceProcess: {
            /** @description UUID. */
            process_id: string;
            /** @description All resource attributes. */
            resource: components["schemas"]["KeyValue"][];
            /** @description `service.name` of the resource. */
            service_name: string;
        };
        /** @description One trace in a list. */
        TraceSummary: {
            /** @description From the earliest start to the latest end, nanoseconds. */
            duration_ns: string;
            /**
             * Format: int32
             * @description Spans whose status is ERROR.
             */
            error_count: number;
            /** @description What the trace is mainly about. */
            kind: components["schemas"]["TraceKind"];
            /** @description Name of the root span. */
            root_name: string;
            /** @description Service of the root span. */
            root_service: string;
            /** @description Services that take part, in alphabetical order. */
            services: string[];
            /**
             * Format: int32
             * @description Distinct spans.
             */
            span_count: number;
            /** @description Start of the earliest span, Unix nanoseconds. */
            start_time: string;
            /** @description 32 lower-case hex digits. */
            trace_id: string;
        };
        /** @description A value that is more frequent among the selected. */
        ValueDifference: {
            /** @description Key of the attribute, or name of the field. */
            key: string;
            /**
             * @description What has it: `field` (of the span: service, operation, kind, status, status message), `span` (its attributes) or
             *     `resource` (those of its process).
             */
            place: string;
            /** @description Other spans that have it. */
            rest: string;
            /** @description Selected spans that have it. */
            selected: string;
            /** @description The value as text. */
            value: string;
        };
        /** @description Answer to Zipkin spans. */
        ZipkinAnswer: {
            /** @description Spans kept. */
            accepted: number;
            /** @description Spans refused, with reasons; at most 100 are listed. */
            rejected?: components["schemas"]["Rejection"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_logs: {
        parameters: {
            query?: {
                /** @description Value of the attribute KEY, as text; any number of these */
                "attr.KEY"?: string;
                /** @description `next_cursor` of the page before */
                cursor?: string;
                /** @description From this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds */
                from?: string;
                /** @description Of `FATAL,ERROR,WARN,INFO,DEBUG,TRACE,UNSPECIFIED`, with commas; all when not given */
                level?: string;
                /** @description Most records, 1 to 5000; 100 when not given */
                limit?: number;
                /** @description `desc` (newest first, when not given) or `asc` */
                order?: string;
                /** @description UUID of a process */
                process?: string;
                /** @description Text in the body, the event's name or the attributes; letter case does not matter */
                search?: string;
                /** @description `service.name` */
                service?: string;
                /** @description 16 hex digits */
                span_id?: string;
                /** @description Before this time */
                to?: string;
                /** @description 32 hex digits */
                trace_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of records */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    log_histogram: {
        parameters: {
            query?: {
                /** @description Value of the attribute KEY, as text; any number of these */
                "attr.KEY"?: string;
                /** @description How many buckets the time may have, about: 1 to 1000; 60 when not given. Buckets cover a round length of time and begin at multiples of it */
                buckets?: number;
                /** @description From this time on; from the first record when not given */
                from?: string;
                /** @description As in `/api/logs` */
                level?: string;
                /** @description UUID of a process */
                process?: string;
                /** @description As in `/api/logs` */
                search?: string;
                /** @description `service.name` */
                service?: string;
                /** @description 16 hex digits */
                span_id?: string;
                /** @description Before this time; to the last record when not given */
                to?: string;
                /** @description 32 hex digits */
                trace_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogHistogram"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_metrics: {
        parameters: {
            query?: {
                /** @description With points from this time on */
                from?: string;
                /** @description `service.name` of who sent them */
                service?: string;
                /** @description With points before this time */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    metric_attributes: {
        parameters: {
            query: {
                /** @description Value of the attribute KEY, as text; any number of these */
                "attr.KEY"?: string;
                /** @description From this time on */
                from?: string;
                /** @description `GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name */
                kind?: string;
                /** @description Name of the metric */
                name: string;
                /** @description UUID of a process */
                process?: string;
                /** @description `service.name` */
                service?: string;
                /** @description Before this time */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys: those with several values first, then by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricAttributeList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    metric_exemplars: {
        parameters: {
            query: {
                /** @description Value of the attribute KEY, as text; any number of these */
                "attr.KEY"?: string;
                /** @description From this time on; from the first point when not given */
                from?: string;
                /** @description `GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name */
                kind?: string;
                /** @description Most exemplars, about: 1 to 1000; 200 when not given */
                limit?: number;
                /** @description Name of the metric */
                name: string;
                /** @description UUID of a process */
                process?: string;
                /** @description `service.name` */
                service?: string;
                /** @description Before this time; to the last point when not given */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The exemplars, earliest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricExemplarList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    metric_series: {
        parameters: {
            query: {
                /** @description `sum`, `average`, `min` or `max`: puts series together */
                aggregate?: string;
                /** @description Value of the attribute KEY, as text; any number of these */
                "attr.KEY"?: string;
                /** @description With `aggregate`: what keeps them apart, with commas: keys of attributes, `service_name`, `process_id`, `scope_name` (which mean the columns of these names, not attributes) */
                by?: string;
                /** @description From this time on; from the first point when not given */
                from?: string;
                /** @description `GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name */
                kind?: string;
                /** @description Name of the metric */
                name: string;
                /** @description Of histograms, with commas: `50,90,99` when not given */
                percentiles?: string;
                /** @description How many values a series may have, about: 1 to 2000; 200 when not given */
                points?: number;
                /** @description UUID of a process */
                process?: string;
                /** @description Most series, 1 to 100; 12 when not given */
                series?: number;
                /** @description `service.name` */
                service?: string;
                /** @description Before this time; to the last point when not given */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The values; no series when there is no point */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricSeriesList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    perfetto_generate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PerfettoRequest"];
            };
        };
        responses: {
            /** @description Lines of `PerfettoProgress`, then the trace */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description The request is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such process is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many exports are running; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    perfetto_info: {
        parameters: {
            query?: {
                /** @description From this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds */
                begin?: string;
                /** @description Before this time */
                end?: string;
                /** @description Of `thread,async,logs,metrics`, with commas; all when not given */
                kinds?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts, range and estimates */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PerfettoInfo"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such process is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    perfetto_trace: {
        parameters: {
            query?: {
                /** @description From this time on; spans that began before are cut */
                begin?: string;
                /** @description Before this time */
                end?: string;
                /** @description Whether to compress the file, which Perfetto opens as well */
                gzip?: boolean;
                /** @description Of `thread,async,logs,metrics`, with commas; all when not given */
                kinds?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trace */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such process is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many exports are running; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    perfetto_validate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            /** @description What is in the trace, and what is wrong with it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PerfettoValidation"];
                };
            };
            /** @description These bytes are no Perfetto trace */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many exports are running; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_process: {
        parameters: {
            query?: {
                /** @description Counts are of rows from this time on */
                from?: string;
                /** @description Counts are of rows before this time */
                to?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Process"];
                };
            };
            /** @description Not a UUID */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such process is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_process_logs: {
        parameters: {
            query?: {
                /** @description Value of the attribute KEY, as text; any number of these */
                "attr.KEY"?: string;
                /** @description `next_cursor` of the page before */
                cursor?: string;
                /** @description From this time on */
                from?: string;
                /** @description Of `FATAL,ERROR,WARN,INFO,DEBUG,TRACE,UNSPECIFIED`, with commas; all when not given */
                level?: string;
                /** @description Most records, 1 to 5000; 100 when not given */
                limit?: number;
                /** @description `desc` (newest first, when not given) or `asc` */
                order?: string;
                /** @description Text in the body, the event's name or the attributes; letter case does not matter */
                search?: string;
                /** @description 16 hex digits */
                span_id?: string;
                /** @description Before this time */
                to?: string;
                /** @description 32 hex digits */
                trace_id?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of records; none when nothing is known of the process */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_process_metrics: {
        parameters: {
            query?: {
                /** @description With points from this time on */
                from?: string;
                /** @description With points before this time */
                to?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics; none when nothing is known of the process */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    process_spans: {
        parameters: {
            query: {
                /** @description Spans that ran at this time or later */
                begin?: string;
                /** @description Spans that started before this time */
                end?: string;
                /** @description `otlp` (one JSON object), `otlp-json` (lines of JSON), `otlp-proto`, `jaeger`, `zipkin` or `chrome` */
                format: string;
                /** @description Whether to compress the file */
                gzip?: boolean;
                /** @description Of `thread,async`: spans that tell their thread, and the others; both when not given */
                kinds?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": number[];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such process is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many exports are running; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_process_statistics: {
        parameters: {
            query?: {
                /** @description Rows from this time on */
                from?: string;
                /** @description Rows before this time */
                to?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Exact figures; zeros when nothing is known of the process */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProcessStatistics"];
                };
            };
            /** @description Not a UUID */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_process_timeline: {
        parameters: {
            query?: {
                /** @description How many slices are seen next to each other at most, 1 to 10000, such as half the pixels of the picture; 1000 when not given. Without `from` and `to`, as many as there ever are */
                columns?: number;
                /** @description Spans that run at this time or later */
                from?: string;
                /** @description Of `thread,async`: spans that tell their thread, and the others; both when not given */
                kinds?: string;
                /** @description Spans that start before this time */
                to?: string;
            };
            header?: never;
            path: {
                /** @description UUID */
                process_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture; empty when the process has no spans in the time */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such process is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_processes: {
        parameters: {
            query?: {
                /** @description Whether to count the rows of each, which takes the longest; true when not given */
                counts?: boolean;
                /** @description `next_cursor` of the page before */
                cursor?: string;
                /** @description Active at or after this time; counts are of rows from then on */
                from?: string;
                /** @description Most processes, 1 to 500; 50 when not given */
                limit?: number;
                /** @description `desc` or `asc`; when not given, the newest come first, and names from A */
                order?: string;
                /** @description Whether to tell all attributes of the resource; true when not given */
                properties?: boolean;
                /** @description Text in the id or in any attribute of the resource, such as the name of service, host, executable or user, the version, the command line; letter case does not matter */
                search?: string;
                /** @description `last_update`, `start` or `service`; `last_update` when not given */
                sort?: string;
                /** @description Active before this time; counts are of rows before */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of processes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProcessList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    download_query: {
        parameters: {
            query: {
                /** @description `csv`, `json` (one array of objects), `parquet` or `arrow` (an IPC stream) */
                format: string;
                /** @description Only rows from this time on are read */
                from?: string;
                /** @description Most rows to answer */
                limit?: number;
                /** @description Text that `$NAME` stands for */
                "param.NAME"?: string;
                /** @description One read-only statement */
                sql: string;
                /** @description Only rows before this time are read */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description A parameter or the statement is wrong, or it needs more than one query may have */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many queries are running; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    run_query: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QueryRequest"];
            };
        };
        responses: {
            /** @description The rows: JSON, or what `Accept` asks for: an Arrow IPC stream (`application/vnd.apache.arrow.stream`), Parquet (`application/vnd.apache.parquet`) or CSV (`text/csv`) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryResult"];
                    "application/vnd.apache.arrow.stream": number[];
                };
            };
            /** @description The statement or the request is wrong, or needs more than one query may have */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request is not JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many queries are running; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_services: {
        parameters: {
            query?: {
                /** @description Spans that start from this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds */
                from?: string;
                /** @description Spans that start before this time */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The services */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_operations: {
        parameters: {
            query?: {
                /** @description Spans that start from this time on */
                from?: string;
                /** @description Spans that start before this time */
                to?: string;
            };
            header?: never;
            path: {
                /** @description `service.name` */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operations, at most 1000; none when the service has no span in the time */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    service_map: {
        parameters: {
            query?: {
                /** @description Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys. */
                "attr.KEY"?: string;
                /** @description Whether the span's status is ERROR. */
                error?: boolean;
                /** @description Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
                from?: string;
                /** @description Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`. */
                kind?: string;
                /** @description Greatest duration of the span. */
                max_duration?: string;
                /** @description Least duration of the span: `100ms`, `1.5s`, or nanoseconds. */
                min_duration?: string;
                /** @description Name of the span. */
                operation?: string;
                /** @description Whether the span is a request: of kind SERVER or CONSUMER, or without a parent. */
                request?: boolean;
                /** @description Whether the span has no parent. */
                root?: boolean;
                /** @description Service of the span. */
                service?: string;
                /**
                 * @description Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
                 *     them, each anywhere; letter case does not matter.
                 */
                text?: string;
                /** @description The span starts before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The services and calls */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceMap"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    trace_attributes: {
        parameters: {
            query?: {
                /** @description Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys. */
                "attr.KEY"?: string;
                /** @description Whether the span's status is ERROR. */
                error?: boolean;
                /** @description Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
                from?: string;
                /** @description Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`. */
                kind?: string;
                /** @description Greatest duration of the span. */
                max_duration?: string;
                /** @description Least duration of the span: `100ms`, `1.5s`, or nanoseconds. */
                min_duration?: string;
                /** @description Name of the span. */
                operation?: string;
                /** @description Whether the span is a request: of kind SERVER or CONSUMER, or without a parent. */
                request?: boolean;
                /** @description Whether the span has no parent. */
                root?: boolean;
                /** @description Service of the span. */
                service?: string;
                /**
                 * @description Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
                 *     them, each anywhere; letter case does not matter.
                 */
                text?: string;
                /** @description The span starts before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The attributes, the most frequent first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AttributeSurvey"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    trace_differences: {
        parameters: {
            query?: {
                /** @description Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys. */
                "attr.KEY"?: string;
                /** @description Whether the span's status is ERROR. */
                error?: boolean;
                /** @description Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
                from?: string;
                /** @description Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`. */
                kind?: string;
                /** @description Most values, 1 to 500; 30 when not given */
                limit?: number;
                /** @description Greatest duration of the span. */
                max_duration?: string;
                /** @description Least duration of the span: `100ms`, `1.5s`, or nanoseconds. */
                min_duration?: string;
                /** @description Name of the span. */
                operation?: string;
                /** @description Whether the span is a request: of kind SERVER or CONSUMER, or without a parent. */
                request?: boolean;
                /** @description Whether the span has no parent. */
                root?: boolean;
                /** @description Whether the status of those selected is ERROR */
                selected_error?: boolean;
                /** @description Selected are spans that start at this time or later */
                selected_from?: string;
                /** @description Greatest duration of those selected */
                selected_max_duration?: string;
                /** @description Least duration of those selected */
                selected_min_duration?: string;
                /** @description Selected are spans that start before this time */
                selected_to?: string;
                /** @description Service of the span. */
                service?: string;
                /**
                 * @description Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
                 *     them, each anywhere; letter case does not matter.
                 */
                text?: string;
                /** @description The span starts before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The values, the greatest difference first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Differences"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    trace_heatmap: {
        parameters: {
            query?: {
                /** @description Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys. */
                "attr.KEY"?: string;
                /** @description Most columns, 1 to 1000; 120 when not given */
                columns?: number;
                /** @description Whether the span's status is ERROR. */
                error?: boolean;
                /** @description Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
                from?: string;
                /** @description Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`. */
                kind?: string;
                /** @description Greatest duration of the span. */
                max_duration?: string;
                /** @description Least duration of the span: `100ms`, `1.5s`, or nanoseconds. */
                min_duration?: string;
                /** @description Name of the span. */
                operation?: string;
                /** @description Whether the span is a request: of kind SERVER or CONSUMER, or without a parent. */
                request?: boolean;
                /** @description Whether the span has no parent. */
                root?: boolean;
                /** @description Service of the span. */
                service?: string;
                /**
                 * @description Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
                 *     them, each anywhere; letter case does not matter.
                 */
                text?: string;
                /** @description The span starts before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Heatmap"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    trace_series: {
        parameters: {
            query?: {
                /** @description Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys. */
                "attr.KEY"?: string;
                /** @description Whether the span's status is ERROR. */
                error?: boolean;
                /** @description Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
                from?: string;
                /** @description Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`. */
                kind?: string;
                /** @description Greatest duration of the span. */
                max_duration?: string;
                /** @description Least duration of the span: `100ms`, `1.5s`, or nanoseconds. */
                min_duration?: string;
                /** @description Name of the span. */
                operation?: string;
                /** @description Most points, 1 to 1000; 100 when not given */
                points?: number;
                /** @description Whether the span is a request: of kind SERVER or CONSUMER, or without a parent. */
                request?: boolean;
                /** @description Whether the span has no parent. */
                root?: boolean;
                /** @description Service of the span. */
                service?: string;
                /**
                 * @description Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
                 *     them, each anywhere; letter case does not matter.
                 */
                text?: string;
                /** @description The span starts before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The figures */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpanSeries"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    send_zipkin_spans: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Zipkin v2 JSON: a list of spans; `Content-Encoding: gzip`, `zstd` or `deflate` */
        requestBody: {
            content: {
                "application/json": Record<string, never>[];
            };
        };
        responses: {
            /** @description Durable and visible */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ZipkinAnswer"];
                };
            };
            /** @description Malformed: what and where */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Only JSON is understood */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Overloaded; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    list_views: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The views */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedViewList"];
                };
            };
        };
    };
    create_view: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewView"];
            };
        };
        responses: {
            /** @description The view */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedView"];
                };
            };
            /** @description The view is wrong, or there are too many */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The request is not JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    change_view: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID */
                view_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangedView"];
            };
        };
        responses: {
            /** @description The view as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedView"];
                };
            };
            /** @description The view is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such view is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Somebody else has changed it since */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    delete_view: {
        parameters: {
            query?: {
                /** @description Only if this is the newest revision */
                revision?: number;
            };
            header?: never;
            path: {
                /** @description UUID */
                view_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No such view is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Somebody else has changed it since */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    liveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Liveness"];
                };
            };
        };
    };
    readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description It cannot */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    prometheus_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus text format */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    send_logs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description OTLP `ExportLogsServiceRequest` */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
                "application/x-protobuf": number[];
            };
        };
        responses: {
            /** @description Durable and visible: `ExportLogsServiceResponse` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Malformed: what and where */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Overloaded; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    send_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description OTLP `ExportMetricsServiceRequest` */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
                "application/x-protobuf": number[];
            };
        };
        responses: {
            /** @description Durable and visible: `ExportMetricsServiceResponse` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Malformed: what and where */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Overloaded; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    find_traces: {
        parameters: {
            query?: {
                /** @description Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys. */
                "attr.KEY"?: string;
                /** @description `next_cursor` of the page before */
                cursor?: string;
                /** @description Whether the span's status is ERROR. */
                error?: boolean;
                /** @description Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. */
                from?: string;
                /** @description Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`. */
                kind?: string;
                /** @description Most traces, 1 to 1000; 20 when not given */
                limit?: number;
                /** @description Greatest duration of the span. */
                max_duration?: string;
                /** @description Least duration of the span: `100ms`, `1.5s`, or nanoseconds. */
                min_duration?: string;
                /** @description Name of the span. */
                operation?: string;
                /** @description Whether the span is a request: of kind SERVER or CONSUMER, or without a parent. */
                request?: boolean;
                /** @description Whether the span has no parent. */
                root?: boolean;
                /** @description Service of the span. */
                service?: string;
                /**
                 * @description Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
                 *     them, each anywhere; letter case does not matter.
                 */
                text?: string;
                /** @description The span starts before this time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of traces */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Overloaded; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    send_traces: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description OTLP `ExportTraceServiceRequest` (protobuf or JSON) or native `{"spans":[…]}`; `Content-Encoding: gzip`, `zstd` or `deflate` */
        requestBody: {
            content: {
                "application/json": Record<string, never>;
                "application/x-protobuf": number[];
            };
        };
        responses: {
            /** @description Durable and visible. OTLP is answered with `ExportTraceServiceResponse`, native spans with this */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IngestAnswer"];
                };
            };
            /** @description Malformed: what and where */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Larger than the limit after decompression */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Content type or encoding not understood */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Overloaded; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Cannot keep data at present; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_trace: {
        parameters: {
            query?: {
                /** @description Of other formats: from this time on; Perfetto traces cut the spans that began before */
                begin?: string;
                /** @description Of other formats: before this time */
                end?: string;
                /** @description `otlp` (`TracesData` as JSON), `otlp-json` (as lines of JSON), `otlp-proto`, `jaeger`, `zipkin`, `chrome`, or `perfetto` with the log records */
                format?: string;
                /** @description Of other formats: whether to compress the file */
                gzip?: boolean;
                /** @description Of other formats: which of `thread,async,logs`; all when not given */
                kinds?: string;
            };
            header?: never;
            path: {
                /** @description 32 hex digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trace */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trace"];
                };
            };
            /** @description Not a trace id, or an unknown format */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No span of the trace is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    trace_logs: {
        parameters: {
            query?: {
                /** @description Most records, 1 to 10000; 1000 when not given */
                limit?: number;
                /** @description Only records of this span: 16 hex digits */
                span_id?: string;
            };
            header?: never;
            path: {
                /** @description 32 hex digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The records; none when the trace has none */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogList"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    trace_outline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 32 hex digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The shape */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceOutline"];
                };
            };
            /** @description Not a trace id */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No span of the trace is known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    find_spans: {
        parameters: {
            query: {
                /** @description Most spans, 1 to 1000000; 10000 when not given */
                limit?: number;
                /** @description Words that the span's name, its service, its status message, its attributes (as `key=value`) or the names and attributes of its events contain, all of them, each anywhere; letter case does not matter */
                text: string;
            };
            header?: never;
            path: {
                /** @description 32 hex digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The spans; none when the trace is not known */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundSpans"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_span: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description 16 hex digits */
                span_id: string;
                /** @description 32 hex digits */
                trace_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The span */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpanDetails"];
                };
            };
            /** @description Not ids */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The span is not known */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    span_stream: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Upgraded. Text frames carry these answers */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamAnswer"];
                };
            };
            /** @description Not a WebSocket handshake */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Opened by a page of a foreign origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Too many WebSockets, or shutting down */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
}
