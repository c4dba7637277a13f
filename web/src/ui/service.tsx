import { serviceClass } from '@/base/palette';
import { classes } from './classes';

/** Services that send no name are shown, not hidden. */
export function serviceLabel(service: string): string {
  return service === '' ? '(no service name)' : service;
}

/** The colour of a service. */
export function ServiceDot({ service, className }: { service: string; className?: string }) {
  return (
    <span
      aria-hidden="true"
      className={classes(
        serviceClass(service),
        'inline-block size-2 shrink-0 rounded-[3px] bg-service',
        className,
      )}
    />
  );
}

/** A service by colour and name. */
export function ServiceName({ service, className }: { service: string; className?: string }) {
  return (
    <span className={classes('inline-flex min-w-0 items-center gap-1.5', className)}>
      <ServiceDot service={service} />
      <span className="truncate" title={serviceLabel(service)}>
        {serviceLabel(service)}
      </span>
    </span>
  );
}
