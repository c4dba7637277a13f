import type { LevelCounts } from '@/api/logs';
import { formatShortCount, plural } from '@/base/numbers';
import { LEVELS, type LevelName } from '@/base/severity';
import { classes } from '@/ui/classes';
import { LevelMark } from './histogram';

/** Which levels are shown, each with how many records it has. Only what there is can be chosen. */
export function Levels(props: {
  counts: LevelCounts | undefined;
  /** `null` for all. */
  chosen: readonly LevelName[] | null;
  onChange: (levels: readonly LevelName[] | null) => void;
}) {
  const { counts, chosen } = props;
  const shown = LEVELS.filter(
    (level) => level !== 'UNSPECIFIED' || (counts?.UNSPECIFIED ?? 0) > 0 || chosen?.includes(level) === true,
  );
  const toggle = (level: LevelName) => {
    // From all, a click shows one; then others are added and taken away.
    const next =
      chosen === null ? [level] : LEVELS.filter((other) => chosen.includes(other) !== (other === level));
    props.onChange(next.length === 0 || shown.every((other) => next.includes(other)) ? null : next);
  };
  return (
    <div role="group" aria-label="Levels" className="flex flex-wrap gap-1">
      {shown.map((level) => {
        const count = counts?.[level];
        const pressed = chosen?.includes(level) === true;
        return (
          <button
            key={level}
            type="button"
            aria-pressed={pressed}
            aria-label={count === undefined ? level : `${level}: ${plural(count, 'record')}`}
            onClick={() => toggle(level)}
            className={classes(
              'inline-flex h-7 items-center gap-1.5 rounded-md border px-2 text-xs',
              pressed ? 'border-accent bg-selected' : 'border-line-strong bg-surface hover:bg-hover',
              (chosen !== null && !pressed) || count === 0 ? 'text-faint' : 'text-text',
            )}
          >
            <LevelMark level={level} />
            {level === 'UNSPECIFIED' ? 'none' : level}
            <span className="tabular text-faint">{count === undefined ? '' : formatShortCount(count)}</span>
          </button>
        );
      })}
    </div>
  );
}
