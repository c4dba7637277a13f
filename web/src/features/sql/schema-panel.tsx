import type { UseQueryResult } from '@tanstack/react-query';
import type { SqlSchema } from '@/api/sql';
import { Button, IconButton } from '@/ui/button';
import { Icon } from '@/ui/icons';

/** The tables and their columns, to read and to put into the statement. */
export function SchemaPanel(props: {
  schema: UseQueryResult<SqlSchema>;
  onInsert: (name: string, isTable: boolean) => void;
  onClose: () => void;
}) {
  const { schema, onInsert } = props;
  return (
    <aside
      aria-label="Tables"
      className="flex w-64 shrink-0 flex-col border-r border-line bg-surface max-md:hidden"
    >
      <header className="flex h-9 shrink-0 items-center border-b border-line pr-1 pl-3">
        <h2 className="flex-1 font-medium">Tables</h2>
        <IconButton icon="close" label="Close the tables" small onClick={props.onClose} />
      </header>
      {schema.data === undefined ? (
        schema.isError ? (
          <div role="alert" className="flex flex-col items-start gap-2 p-3 text-error">
            {schema.error.message}
            <Button small onClick={() => void schema.refetch()}>
              Try again
            </Button>
          </div>
        ) : (
          <div role="status" aria-label="Loading the tables" className="flex flex-col gap-3 p-3">
            <div className="skeleton h-3 w-24" />
            <div className="skeleton h-3 w-32" />
          </div>
        )
      ) : (
        <ul className="min-h-0 flex-1 overflow-auto py-1">
          {schema.data.tables.map((table) => (
            <li key={table.name}>
              <details className="group">
                <summary
                  title={table.description}
                  className="flex h-7 cursor-pointer list-none items-center gap-1.5 px-3 hover:bg-hover"
                >
                  <Icon name="chevronRight" size={12} className="text-faint group-open:rotate-90" />
                  <span className="font-mono text-xs">{table.name}</span>
                </summary>
                <ul>
                  <Name
                    text={table.name}
                    detail="the table"
                    title={table.description}
                    onInsert={(name) => onInsert(name, true)}
                  />
                  {table.columns.map(({ name, type, description }) => (
                    <Name
                      key={name}
                      text={name}
                      detail={type}
                      title={description}
                      onInsert={(name) => onInsert(name, false)}
                    />
                  ))}
                </ul>
              </details>
            </li>
          ))}
        </ul>
      )}
    </aside>
  );
}

function Name(props: { text: string; detail: string; title: string; onInsert: (name: string) => void }) {
  return (
    <li>
      <button
        type="button"
        title={props.title}
        aria-label={`Put ${props.text} into the statement`}
        onClick={() => props.onInsert(props.text)}
        className="flex h-6 w-full items-center gap-2 pr-3 pl-8 text-left hover:bg-hover"
      >
        <span className="truncate font-mono text-xs">{props.text}</span>
        <span className="ml-auto shrink-0 text-2xs text-faint">
          {props.detail.split('(')[0]?.split('<')[0]}
        </span>
      </button>
    </li>
  );
}
