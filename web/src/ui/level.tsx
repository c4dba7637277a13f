import { LEVEL_CLASS, levelOf } from '@/base/severity';
import { classes } from './classes';

/** The level of a log record in its colour; what the sender wrote when it gave no number. */
export function Level({ number, text }: { number: number; text: string }) {
  const level = levelOf(number);
  return (
    <span
      className={classes(
        'w-10 shrink-0 truncate font-semibold',
        level === null ? 'text-faint' : LEVEL_CLASS[level],
      )}
    >
      {level ?? (text || '–')}
    </span>
  );
}
