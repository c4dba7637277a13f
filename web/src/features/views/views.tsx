import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useLocation, useRouter } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { changeView, createView, deleteView, type SavedView, viewsQuery } from '@/api/views';
import { Button, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Popover } from '@/ui/popover';
import { EmptyState } from '@/ui/states';
import { note } from '@/ui/toasts';

/** Names longer than this are refused. */
const MOST_LETTERS = 200;

/** What is saved here: the views of all pages, or those of one. */
export function SavedViews(props: {
  label: string;
  /** Only views of this page. */
  page?: string;
  /** What one of them is called: `view`, `query`. */
  noun: string;
  trigger: ReactNode;
  align?: 'start' | 'end';
}) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      label={props.label}
      open={open}
      onOpenChange={setOpen}
      trigger={props.trigger}
      className="w-96 max-w-[calc(100vw-2rem)]"
      {...(props.align === undefined ? {} : { align: props.align })}
    >
      <Panel {...props} close={() => setOpen(false)} />
    </Popover>
  );
}

function Panel({ page, noun, close }: Parameters<typeof SavedViews>[0] & { close: () => void }) {
  const client = useQueryClient();
  const query = useQuery(viewsQuery());
  const here = useLocation({ select: ({ pathname, searchStr }) => `${pathname}${searchStr}` });
  const [find, setFind] = useState('');
  const views = query.data?.filter(({ link }) => page === undefined || pathOf(link) === page);
  const wanted = find.trim().toLowerCase();
  const found = views?.filter(({ name }) => name.toLowerCase().includes(wanted));
  const changed = () => client.invalidateQueries({ queryKey: viewsQuery().queryKey });
  return (
    <>
      <SaveForm here={here} noun={noun} views={views ?? []} changed={changed} />
      {views !== undefined && views.length > 8 && (
        <div className="border-b border-line p-2">
          <input
            aria-label={`Find a saved ${noun}`}
            placeholder="Find…"
            value={find}
            onChange={({ target }) => setFind(target.value)}
            className="field w-full"
          />
        </div>
      )}
      {found === undefined ? (
        query.isError ? (
          <div role="alert" className="flex flex-col items-start gap-2 p-3 text-error">
            {query.error.message}
            <Button small onClick={() => void query.refetch()}>
              Try again
            </Button>
          </div>
        ) : (
          <div role="status" aria-label="Loading" className="p-3">
            <div className="skeleton h-3 w-40" />
          </div>
        )
      ) : found.length === 0 ? (
        <EmptyState icon="bookmark" title={wanted === '' ? 'Nothing is saved yet' : 'None is called so'}>
          {wanted === '' && `What is saved is kept on the server, for everyone who uses it.`}
        </EmptyState>
      ) : (
        <ul aria-label={`Saved ${plural(noun)}`} className="max-h-96 overflow-auto p-1">
          {found.map((view) => (
            <Item key={view.id} view={view} isHere={view.link === here} changed={changed} close={close} />
          ))}
        </ul>
      )}
    </>
  );
}

/** Gives the present place a name, or puts it in place of what has that name. */
function SaveForm(props: {
  here: string;
  noun: string;
  views: readonly SavedView[];
  changed: () => Promise<void>;
}) {
  const { here, noun } = props;
  const id = useId();
  const [name, setName] = useState('');
  const same = props.views.find((view) => view.name === name.trim());
  const save = useMutation({
    mutationFn: (name: string) =>
      same === undefined ? createView(name, here) : changeView(same, { name, link: here }),
    onSuccess: ({ name }) => {
      note(`Saved “${name}”`);
      setName('');
    },
    // Also when it failed: somebody else may have changed it.
    onSettled: props.changed,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') save.mutate(name.trim());
  };
  return (
    <form onSubmit={submit} className="border-b border-line p-2">
      <label htmlFor={id} className="block px-1 pb-1 text-xs text-muted">
        Save what is shown now as a {noun}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          value={name}
          maxLength={MOST_LETTERS}
          aria-invalid={save.isError}
          aria-describedby={save.isError ? `${id}-error` : undefined}
          onChange={({ target }) => {
            setName(target.value);
            save.reset();
          }}
          placeholder="Name"
          className="field min-w-0 flex-1"
        />
        <Button type="submit" look="primary" disabled={name.trim() === '' || save.isPending} className="w-20">
          {same === undefined ? 'Save' : 'Replace'}
        </Button>
      </div>
      {save.isError && (
        <p id={`${id}-error`} role="alert" className="px-1 pt-1 text-xs wrap-anywhere text-error">
          {save.error.message}
        </p>
      )}
    </form>
  );
}

function Item(props: { view: SavedView; isHere: boolean; changed: () => Promise<void>; close: () => void }) {
  const { view } = props;
  const router = useRouter();
  const [mode, setMode] = useState<'shown' | 'renaming' | 'deleting'>('shown');
  const [name, setName] = useState(view.name);
  const onSettled = props.changed;
  const onSuccess = () => setMode('shown');
  const rename = useMutation({
    mutationFn: (name: string) => changeView(view, { name, link: view.link }),
    onSuccess,
    onSettled,
  });
  const forget = useMutation({ mutationFn: () => deleteView(view), onSuccess, onSettled });
  const error = rename.error ?? forget.error;
  return (
    <li className="group rounded hover:bg-hover has-focus-visible:bg-hover">
      {mode === 'renaming' ? (
        <form
          className="flex gap-1 p-1"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') rename.mutate(name.trim());
          }}
        >
          <input
            // The person has just asked to type here.
            // biome-ignore lint/a11y/noAutofocus: see above
            autoFocus
            aria-label={`New name of ${view.name}`}
            value={name}
            maxLength={MOST_LETTERS}
            onChange={({ target }) => setName(target.value)}
            className="field h-7 min-w-0 flex-1"
          />
          <Button small type="submit" disabled={rename.isPending}>
            Rename
          </Button>
          <IconButton icon="close" label="Keep the name" small onClick={() => setMode('shown')} />
        </form>
      ) : (
        <div className="flex items-center pr-1">
          <a
            href={view.link}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              router.history.push(view.link);
              props.close();
            }}
            className="flex h-8 min-w-0 flex-1 items-center gap-2 px-2"
          >
            <bdi className={classes('truncate', props.isHere && 'font-medium')}>{view.name}</bdi>
            <span className="ml-auto shrink-0 text-xs text-faint">
              {props.isHere ? 'shown now' : pathOf(view.link).slice(1)}
            </span>
          </a>
          {mode === 'deleting' ? (
            <span className="flex gap-1">
              <Button small disabled={forget.isPending} onClick={() => forget.mutate()}>
                Delete
              </Button>
              <Button small look="ghost" onClick={() => setMode('shown')}>
                Keep
              </Button>
            </span>
          ) : (
            <span className="flex">
              <IconButton
                icon="edit"
                label={`Rename ${view.name}`}
                small
                onClick={() => {
                  setName(view.name);
                  setMode('renaming');
                }}
              />
              <IconButton
                icon="trash"
                label={`Delete ${view.name}`}
                small
                onClick={() => setMode('deleting')}
              />
            </span>
          )}
        </div>
      )}
      {error !== null && (
        <p role="alert" className="px-2 pb-1 text-xs wrap-anywhere text-error">
          {error.message}
        </p>
      )}
    </li>
  );
}

const pathOf = (link: string): string => link.split(/[?#]/)[0]!;
const plural = (noun: string): string => (noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`);
