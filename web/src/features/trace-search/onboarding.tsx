import { useState } from 'react';
import { classes } from '@/ui/classes';
import { CopyButton } from '@/ui/copy';
import { Logo } from '@/ui/icons';

/** How to send a first trace, with this server's own address. */
function snippets(origin: string): readonly { name: string; text: string }[] {
  return [
    {
      name: 'Python',
      text: `pip install opentelemetry-distro opentelemetry-exporter-otlp
opentelemetry-bootstrap -a install

export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
opentelemetry-instrument python app.py`,
    },
    {
      name: 'Node.js',
      text: `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node

export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
node --require @opentelemetry/auto-instrumentations-node/register app.js`,
    },
    {
      name: 'Collector',
      text: `exporters:
  otlphttp/glasshouse:
    endpoint: ${origin}

service:
  pipelines:
    traces:
      exporters: [otlphttp/glasshouse]`,
    },
    {
      name: 'curl',
      text: `now=$(date +%s)
curl ${origin}/v1/traces -H 'content-type: application/json' -d '{"spans":[{
  "trace_id":"'$(openssl rand -hex 16)'","span_id":"'$(openssl rand -hex 8)'",
  "name":"hello","service_name":"my-service",
  "start_time":"'$now'000000000","end_time":"'$now'250000000"}]}'`,
    },
    {
      name: 'Demo shop',
      text: `glasshouse demo --endpoint ${origin}`,
    },
  ];
}

/** Stands in the place of the list until the first trace arrives; then the list takes over by itself. */
export function Onboarding() {
  const options = snippets(window.location.origin);
  const [chosen, choose] = useState(options[0]!.name);
  const option = options.find(({ name }) => name === chosen)!;
  return (
    <section aria-labelledby="onboarding" className="min-h-0 flex-1 overflow-auto">
      <div className="mx-auto max-w-2xl px-6 py-14">
        <Logo size={36} />
        <h2 id="onboarding" className="mt-4 text-xl font-semibold tracking-tight">
          No traces have been received yet
        </h2>
        <p className="mt-1.5 text-sm text-muted">
          Point any OpenTelemetry SDK or collector at this server. It takes OTLP over HTTP at{' '}
          <code className="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-text">
            {window.location.origin}
          </code>{' '}
          and over gRPC on port 4317.
        </p>
        <div className="mt-6 overflow-hidden rounded-lg border border-line-strong bg-surface">
          <div className="flex items-center border-b border-line px-2">
            <div role="tablist" aria-label="Ways to send" className="flex flex-1 gap-1 overflow-x-auto">
              {options.map(({ name }) => (
                <button
                  key={name}
                  type="button"
                  role="tab"
                  aria-selected={name === chosen}
                  aria-controls="onboarding-snippet"
                  onClick={() => choose(name)}
                  className={classes(
                    '-mb-px h-9 border-b-2 px-2',
                    name === chosen
                      ? 'border-accent font-medium'
                      : 'border-transparent text-muted hover:text-text',
                  )}
                >
                  {name}
                </button>
              ))}
            </div>
            <CopyButton text={option.text} what="the commands" />
          </div>
          <pre
            id="onboarding-snippet"
            role="tabpanel"
            tabIndex={0}
            aria-label={option.name}
            className="overflow-x-auto px-4 py-3 font-mono text-xs leading-5"
          >
            {option.text}
          </pre>
        </div>
        <p role="status" className="mt-4 flex items-center gap-2 text-muted">
          <span aria-hidden="true" className="size-2 animate-pulse rounded-full bg-accent" />
          Waiting for the first trace. This page shows it as soon as it arrives.
        </p>
      </div>
    </section>
  );
}
