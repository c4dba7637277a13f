import { useState } from 'react';
import { type SqlQuestion, sqlFile } from '@/api/sql';
import { Button } from '@/ui/button';
import { Icon } from '@/ui/icons';
import { Popover } from '@/ui/popover';

const FORMATS = [
  ['csv', 'CSV', 'for spreadsheets'],
  ['json', 'JSON', 'an array of objects'],
  ['parquet', 'Parquet', 'with exact types'],
] as const;
/** Bytes that the server takes as the address of a file. */
const MOST_BYTES = 16_000;

/** All rows of the statement as a file, which goes straight to disk. */
export function DownloadMenu({ question, isEdited }: { question: SqlQuestion; isEdited: boolean }) {
  const [open, setOpen] = useState(false);
  const isTooLong = sqlFile(question, 'parquet').length > MOST_BYTES;
  return (
    <Popover
      label="Download"
      align="end"
      open={open}
      onOpenChange={setOpen}
      className="w-64 p-1"
      trigger={
        <Button icon="download" disabled={question.sql === ''}>
          Download
        </Button>
      }
    >
      {isTooLong ? (
        <p className="p-2 text-muted">
          The statement is too long for a link. <code className="font-mono text-xs">glasshouse query</code>{' '}
          writes files of any statement.
        </p>
      ) : (
        <>
          <p className="px-2 py-1 text-xs text-faint">
            {isEdited ? 'All rows of the statement that was run last' : 'All rows, without the limit'}
          </p>
          {FORMATS.map(([format, label, what]) => (
            <a
              key={format}
              href={sqlFile(question, format)}
              download={`query.${format}`}
              onClick={() => setOpen(false)}
              className="flex h-8 items-center gap-2 rounded px-2 hover:bg-hover"
            >
              <Icon name="download" size={14} className="text-faint" />
              {label}
              <span className="text-xs text-faint">{what}</span>
            </a>
          ))}
        </>
      )}
    </Popover>
  );
}
