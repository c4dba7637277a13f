import type { ComponentProps } from 'react';
import { classes } from './classes';
import { Icon, type IconName } from './icons';
import { Tooltip } from './tooltip';

const BASE =
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md whitespace-nowrap transition-colors disabled:opacity-45';

const LOOKS = {
  outline:
    'border border-line-strong bg-surface text-text hover:bg-hover data-[state=open]:bg-hover aria-pressed:border-accent aria-pressed:bg-selected',
  ghost: 'text-muted hover:bg-hover hover:text-text data-[state=open]:bg-hover data-[state=open]:text-text',
  primary: 'bg-accent font-medium text-on-accent hover:bg-accent-strong',
} as const;

export type ButtonLook = keyof typeof LOOKS;

export function buttonClass(look: ButtonLook, className?: string, small = false): string {
  return classes(BASE, LOOKS[look], small ? 'h-6 px-2 text-xs' : 'h-8 px-2.5', className);
}

export function Button({
  look = 'outline',
  icon,
  small = false,
  className,
  children,
  ...rest
}: ComponentProps<'button'> & { look?: ButtonLook; icon?: IconName; small?: boolean }) {
  return (
    <button type="button" {...rest} className={buttonClass(look, className, small)}>
      {icon !== undefined && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

/** A button that is an icon; its label is the tooltip and the accessible name. */
export function IconButton({
  icon,
  label,
  shortcut,
  look = 'ghost',
  small = false,
  side,
  className,
  ...rest
}: Omit<ComponentProps<'button'>, 'children'> & {
  icon: IconName;
  label: string;
  shortcut?: string;
  look?: ButtonLook;
  small?: boolean;
  side?: 'top' | 'bottom' | 'left' | 'right';
}) {
  return (
    <Tooltip
      content={label}
      {...(shortcut === undefined ? {} : { shortcut })}
      {...(side === undefined ? {} : { side })}
    >
      <button
        type="button"
        aria-label={label}
        {...rest}
        className={classes(BASE, LOOKS[look], small ? 'size-6' : 'size-8', className)}
      >
        <Icon name={icon} size={small ? 14 : 16} />
      </button>
    </Tooltip>
  );
}
