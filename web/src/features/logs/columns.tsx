import { useState } from 'react';
import type { LogRecord } from '@/api/logs';
import { Button } from '@/ui/button';
import { Icon } from '@/ui/icons';
import { Popover } from '@/ui/popover';

/** Attributes that are offered at most. */
const MOST_OFFERED = 100;

/** Chooses which attributes have a column, among those of the records that are loaded. */
export function Columns(props: {
  records: readonly LogRecord[];
  columns: readonly string[];
  onChange: (columns: readonly string[]) => void;
}) {
  const { columns, onChange } = props;
  const [open, setOpen] = useState(false);
  return (
    <Popover
      label="Columns"
      align="end"
      open={open}
      onOpenChange={setOpen}
      className="max-h-80 w-64 overflow-auto p-1.5"
      trigger={
        <Button>
          Columns
          {columns.length > 0 && <span className="tabular text-faint">{columns.length}</span>}
          <Icon name="chevronDown" size={12} className="text-faint" />
        </Button>
      }
    >
      {open && <Choices {...props} onChange={onChange} />}
    </Popover>
  );
}

function Choices({ records, columns, onChange }: Parameters<typeof Columns>[0]) {
  const offered = [...new Set([...columns, ...frequentKeys(records)])].slice(0, MOST_OFFERED);
  if (offered.length === 0) return <p className="px-2 py-1 text-muted">No record here has an attribute.</p>;
  return offered.map((key) => (
    <label key={key} className="flex h-7 items-center gap-2 rounded px-2 hover:bg-hover">
      <input
        type="checkbox"
        checked={columns.includes(key)}
        onChange={({ target }) =>
          onChange(target.checked ? [...columns, key] : columns.filter((other) => other !== key))
        }
        className="accent-accent"
      />
      <span className="truncate" title={key}>
        {key}
      </span>
    </label>
  ));
}

/** Names of attributes, the most frequent first. */
function frequentKeys(records: readonly LogRecord[]): string[] {
  const counts = new Map<string, number>();
  for (const { attributes } of records) {
    for (const { key } of attributes) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([key]) => key);
}
