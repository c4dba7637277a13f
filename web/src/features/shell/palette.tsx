import { useQuery } from '@tanstack/react-query';
import { useNavigate, useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { servicesQuery } from '@/api/services';
import { viewsQuery } from '@/api/views';
import { classes } from '@/ui/classes';
import { copy } from '@/ui/copy';
import { useHotkeyGroups } from '@/ui/hotkeys';
import { Icon, type IconName } from '@/ui/icons';
import { Modal } from '@/ui/modal';
import { useTimeRange } from '@/ui/time-range';
import { Key } from '@/ui/tooltip';
import { type Command, matching, typedCommands } from './commands';

/** Rows that are drawn; typing narrows the rest. */
const MOST = 50;

const ICONS: Readonly<Record<Command['kind'], IconName>> = {
  page: 'chevronRight',
  trace: 'traces',
  process: 'processes',
  search: 'search',
  service: 'services',
  view: 'bookmark',
  action: 'keyboard',
};

/** Everything by name: pages, services, ids, searches, and what the open page can do. */
export function CommandPalette({
  open,
  onClose,
  pages,
}: {
  open: boolean;
  onClose: () => void;
  pages: readonly { to: string; label: string }[];
}) {
  return (
    <Modal
      open={open}
      onClose={onClose}
      label="Commands"
      className="mx-auto mt-[12vh] mb-auto w-[min(38rem,92vw)]"
    >
      {open && <Commands pages={pages} close={onClose} />}
    </Modal>
  );
}

function Commands({ pages, close }: { pages: readonly { to: string; label: string }[]; close: () => void }) {
  const id = useId();
  const navigate = useNavigate();
  const list = useRef<HTMLDivElement>(null);
  const groups = useHotkeyGroups();
  const [range] = useTimeRange();
  const services = useQuery(servicesQuery(range));
  const views = useQuery(viewsQuery());
  const router = useRouter();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const go = (to: string, search: object = {}) =>
    void navigate({ to, search: (previous: object) => ({ ...keepRange(previous), ...search }) } as never);
  const typed = typedCommands(text).map(
    ({ target, ...command }): Command => ({ ...command, run: () => go(target.to, target.search) }),
  );
  // What has the name comes before a search for it, and what has the id before all.
  const commands: Command[] = [
    ...typed.filter(({ kind }) => kind !== 'search'),
    ...matching<Command>(
      [
        ...pages.map(
          ({ to, label }): Command => ({ kind: 'page', label: `Go to ${label}`, run: () => go(to) }),
        ),
        {
          kind: 'page',
          label: 'Go to the map of services',
          run: () => go('/services', { view: 'map' }),
        },
        ...(views.data ?? []).map(
          ({ name, link }): Command => ({
            kind: 'view',
            label: `Open ${name}`,
            run: () => router.history.push(link),
          }),
        ),
        {
          kind: 'action',
          label: 'Copy link to this view',
          run: () => void copy(window.location.href, 'the link'),
        },
        ...groups.flatMap(({ title, hotkeys }) =>
          hotkeys
            .filter(({ label }) => !label.startsWith('Go to '))
            .map(
              ({ label, keys, shown, run }): Command => ({
                kind: 'action',
                label: title === 'Everywhere' ? label : `${title}: ${label}`,
                keys: shown ?? keys,
                run: () => run(new window.KeyboardEvent('keydown', { key: keys[0] ?? '' })),
              }),
            ),
        ),
        ...(services.data ?? []).map(
          (name): Command => ({
            kind: 'service',
            label: `Service ${name}`,
            run: () => go('/services', { name }),
          }),
        ),
      ],
      text,
    ).slice(0, MOST),
    ...typed.filter(({ kind }) => kind === 'search'),
  ];
  const current = Math.min(active, commands.length - 1);
  const take = (command: Command | undefined) => {
    if (command === undefined) return;
    close();
    // What it does may want the focus, which the dialog gives back when it closes.
    requestAnimationFrame(() => command.run());
  };
  const move = (by: number) => {
    const next = (current + by + commands.length) % Math.max(1, commands.length);
    setActive(next);
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Enter') take(commands[current]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex items-center gap-2 border-b border-line px-3">
        <Icon name="search" size={14} className="text-faint" />
        <input
          // The dialog opens on the person's own key, and this is what they came for.
          // biome-ignore lint/a11y/noAutofocus: see above
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={current >= 0 ? `${id}-${current}` : undefined}
          aria-label="Command, service, id or text"
          placeholder="Command, service, trace id or text"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={keyDown}
          spellCheck={false}
          autoComplete="off"
          className="h-11 min-w-0 flex-1 bg-transparent outline-none placeholder:text-faint"
        />
      </div>
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label="Commands"
        className="max-h-[min(26rem,60vh)] overflow-auto p-1"
      >
        {commands.map((command, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keyboard
          <div
            key={`${command.kind} ${command.label}`}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === current}
            tabIndex={-1}
            onClick={() => take(command)}
            onPointerMove={() => setActive(at)}
            className={classes('flex h-8 items-center gap-2 rounded px-2', at === current && 'bg-hover')}
          >
            <Icon name={ICONS[command.kind]} size={14} className="text-faint" />
            <span className="truncate" title={command.label}>
              {command.label}
            </span>
            <span aria-hidden="true" className="ml-auto flex gap-1">
              {command.keys?.map((key) => (
                <Key key={key}>{key}</Key>
              ))}
            </span>
          </div>
        ))}
      </div>
      {commands.length === 0 && <p className="px-4 pb-4 text-muted">Nothing is called so.</p>}
    </>
  );
}

/** The time range goes with one from page to page. */
function keepRange(search: { from?: string; to?: string }): { from?: string; to?: string } {
  return {
    ...(search.from === undefined ? {} : { from: search.from }),
    ...(search.to === undefined ? {} : { to: search.to }),
  };
}
