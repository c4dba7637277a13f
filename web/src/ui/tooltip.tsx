import { Tooltip as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

export const TooltipProvider = Radix.Provider;

/** Says what an element is for, on hover and focus. The element needs an accessible name of its own. */
export function Tooltip(props: {
  content: ReactNode;
  children: ReactNode;
  shortcut?: string;
  side?: 'top' | 'bottom' | 'left' | 'right';
}) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{props.children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={props.side ?? 'bottom'}
          sideOffset={6}
          collisionPadding={8}
          className="floating appear z-50 max-w-80 px-2 py-1 text-xs text-text"
        >
          {props.content}
          {props.shortcut !== undefined && <Key className="ml-2">{props.shortcut}</Key>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A key of the keyboard. */
export function Key({ children, className }: { children: string; className?: string }) {
  return (
    <kbd
      className={`inline-flex h-[18px] min-w-[18px] items-center justify-center rounded border border-line-strong bg-page px-1 font-sans text-2xs text-muted ${className ?? ''}`}
    >
      {children}
    </kbd>
  );
}
