import { useState } from 'react';
import { Button, IconButton } from './button';
import { classes } from './classes';
import { Icon } from './icons';
import { Popover } from './popover';
import { stored, useStored } from './stored';

const CHOICES = [0, 5, 15, 60] as const;
const seconds = stored<number>(
  'refresh-seconds',
  0,
  (text) => CHOICES.find((choice) => String(choice) === text) ?? null,
);

/** How often lists refresh by themselves, in milliseconds; `false` when they do not. */
export function useRefreshInterval(): number | false {
  const [chosen] = useStored(seconds);
  return chosen > 0 && chosen * 1_000;
}

/** Refreshes now, or every few seconds. */
export function RefreshControl({ busy, onRefresh }: { busy: boolean; onRefresh: () => void }) {
  const [chosen, choose] = useStored(seconds);
  const [open, setOpen] = useState(false);
  return (
    <div className="flex">
      <IconButton
        icon="refresh"
        label={busy ? 'Refreshing' : 'Refresh'}
        shortcut="r"
        look="outline"
        onClick={onRefresh}
        className={classes('rounded-r-none border-r-0', busy && '[&>svg]:animate-spin')}
      />
      <Popover
        label="Refresh by itself"
        align="end"
        open={open}
        onOpenChange={setOpen}
        className="w-36 p-1"
        trigger={
          <Button
            className={classes('tabular rounded-l-none px-2', chosen > 0 && 'text-accent')}
            aria-label={chosen > 0 ? `Refreshes every ${chosen} s` : 'Refresh by itself: off'}
          >
            {chosen > 0 && <span>{chosen} s</span>}
            <Icon name="chevronDown" size={12} className="text-faint" />
          </Button>
        }
      >
        {CHOICES.map((choice) => (
          <button
            key={choice}
            type="button"
            aria-pressed={choice === chosen}
            onClick={() => {
              choose(choice);
              setOpen(false);
            }}
            className="flex h-7 w-full items-center justify-between rounded px-2 hover:bg-hover"
          >
            {choice === 0 ? 'Off' : `Every ${choice} s`}
            {choice === chosen && <Icon name="check" size={14} className="text-accent" />}
          </button>
        ))}
      </Popover>
    </div>
  );
}
