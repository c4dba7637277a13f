/** Statements to begin with. */
export const EXAMPLES: readonly { title: string; sql: string }[] = [
  {
    title: 'The slowest operations',
    sql: `SELECT service_name, name, count(*) AS spans,
  approx_percentile_cont(duration_ns, 0.5) AS p50_ns,
  approx_percentile_cont(duration_ns, 0.99) AS p99_ns
FROM spans
GROUP BY service_name, name
ORDER BY p99_ns DESC
LIMIT 50`,
  },
  {
    title: 'Requests a minute, by service',
    sql: `SELECT date_bin(INTERVAL '1 minute', start_time) AS minute,
  service_name, count(*) AS requests
FROM spans
WHERE kind IN ('SERVER', 'CONSUMER')
GROUP BY minute, service_name
ORDER BY minute`,
  },
  {
    title: 'Failing spans by an attribute',
    sql: `SELECT attributes['http.response.status_code'] AS status,
  service_name, name, count(*) AS spans
FROM spans
WHERE status_code = 'ERROR'
GROUP BY status, service_name, name
ORDER BY spans DESC
LIMIT 100`,
  },
  {
    title: 'The last lines of the log of a service',
    sql: `SELECT time, severity_text, body, trace_id, span_id
FROM logs
WHERE service_name = $service
ORDER BY time DESC
LIMIT 200`,
  },
];
