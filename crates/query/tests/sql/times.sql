SELECT name, start_time, end_time, duration_ns FROM spans WHERE start_time >= TIMESTAMP '2026-01-31T12:00:00.000000010Z' AND start_time < TIMESTAMP '2026-01-31T12:00:00.00000005Z' ORDER BY start_time, ingest_time;
SELECT count(*) FROM spans WHERE start_time >= '2026-01-31T12:00:00Z';
SELECT count(*) FROM spans WHERE start_time BETWEEN '2026-01-31T11:00:00Z' AND '2026-01-31T12:00:00Z';
SELECT min(start_time), max(start_time), count(*) FROM spans;
SELECT date_trunc('day', start_time) AS day, count(*) FROM spans GROUP BY day ORDER BY day;
SELECT name, start_time FROM spans ORDER BY start_time DESC, span_id DESC LIMIT 3;
SELECT count(*) FROM spans WHERE end_time IS NULL;
SELECT count(*) FROM spans WHERE start_time > now();
SELECT duration_text(max(duration_ns)) FROM spans;
