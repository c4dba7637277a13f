import { Link, type LinkProps, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon, type IconName, Logo } from '@/ui/icons';
import { KeyboardHelp } from '@/ui/keyboard-help';
import { OfflineNotice } from '@/ui/offline';
import { type Theme, toggleTheme, useTheme } from '@/ui/preferences';
import { oneOf, stored, useStored } from '@/ui/stored';
import { Toasts } from '@/ui/toasts';
import { Tooltip } from '@/ui/tooltip';
import { CommandPalette } from './palette';

/** The pages, in the order of the navigation. */
const PAGES: readonly {
  to: NonNullable<LinkProps['to']> & string;
  label: string;
  icon: IconName;
  key: string;
}[] = [
  { to: '/traces', label: 'Traces', icon: 'traces', key: 't' },
  { to: '/services', label: 'Services', icon: 'services', key: 's' },
  { to: '/logs', label: 'Logs', icon: 'logs', key: 'l' },
  { to: '/explore', label: 'Metrics', icon: 'metrics', key: 'm' },
  { to: '/processes', label: 'Processes', icon: 'processes', key: 'p' },
  { to: '/sql', label: 'SQL', icon: 'sql', key: 'q' },
];

const width = stored('navigation', 'wide', oneOf('wide', 'narrow'));

const THEMES: Readonly<Record<Theme, { next: Theme; icon: IconName; label: string }>> = {
  system: { next: 'light', icon: 'monitor', label: 'Theme: like the system' },
  light: { next: 'dark', icon: 'sun', label: 'Theme: light' },
  dark: { next: 'system', icon: 'moon', label: 'Theme: dark' },
};

/** What is around every page: navigation, theme, keyboard help, notifications. */
export function Shell({ children, views }: { children: ReactNode; views: (isWide: boolean) => ReactNode }) {
  const [help, setHelp] = useState(false);
  const [commands, setCommands] = useState(false);
  // The only shortcut with a modifier: it works while typing too, as people know it from elsewhere.
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.shiftKey
      )
        return;
      event.preventDefault();
      setCommands((open) => !open);
    };
    window.addEventListener('keydown', open);
    return () => window.removeEventListener('keydown', open);
  }, []);
  const [chosenWidth, setWidth] = useStored(width);
  const [theme, setTheme] = useTheme();
  const navigate = useNavigate();
  const wide = chosenWidth === 'wide';

  useHotkeys('Everywhere', [
    ...PAGES.map(({ to, label, key }) => ({
      keys: [`Shift+${key.toUpperCase()}`],
      shown: ['Shift', key.toUpperCase()],
      label: `Go to ${label}`,
      run: () => void navigate({ to }),
    })),
    { keys: ['d'], label: 'Light or dark', run: toggleTheme },
    { keys: ['Ctrl+K'], shown: ['Ctrl', 'K'], label: 'Commands', run: () => setCommands(true) },
    { keys: ['?'], label: 'This help', run: () => setHelp((open) => !open) },
  ]);

  return (
    <div className="flex h-full">
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <nav
        aria-label="Pages"
        className={classes(
          'flex shrink-0 flex-col border-r border-line bg-page',
          wide ? 'w-12 lg:w-44' : 'w-12',
        )}
      >
        <Link
          to="/traces"
          aria-label="Glasshouse"
          className="flex h-12 items-center gap-2 px-[13px] text-[0.9375rem] font-semibold tracking-tight"
        >
          <Logo />
          {wide && <span className="hidden lg:inline">Glasshouse</span>}
        </Link>
        <ul className="flex flex-1 flex-col gap-0.5 px-1.5 pt-1">
          {PAGES.map((page) => (
            <li key={page.to}>
              <Tooltip content={page.label} side="right" shortcut={`Shift ${page.key.toUpperCase()}`}>
                <Link
                  to={page.to}
                  aria-label={page.label}
                  className="flex h-8 items-center gap-2.5 rounded-md px-2.5 text-muted hover:bg-hover hover:text-text"
                  activeProps={{
                    className: 'bg-selected font-medium text-text! [&>svg]:text-accent',
                    'aria-current': 'page',
                  }}
                >
                  <Icon name={page.icon} />
                  {wide && <span className="hidden lg:inline">{page.label}</span>}
                </Link>
              </Tooltip>
            </li>
          ))}
        </ul>
        <div className="flex flex-col px-1.5">{views(wide)}</div>
        <div className={classes('flex flex-col gap-0.5 p-2', wide && 'lg:flex-row')}>
          <IconButton
            icon={THEMES[theme].icon}
            label={THEMES[theme].label}
            shortcut="d"
            side="right"
            onClick={() => setTheme(THEMES[theme].next)}
          />
          <IconButton
            icon="search"
            label="Commands"
            shortcut="Ctrl K"
            side="right"
            onClick={() => setCommands(true)}
          />
          <IconButton
            icon="keyboard"
            label="Keyboard"
            shortcut="?"
            side="right"
            onClick={() => setHelp(true)}
          />
          <IconButton
            icon="panel"
            label={wide ? 'Narrow navigation' : 'Wide navigation'}
            side="right"
            className="max-lg:hidden"
            onClick={() => setWidth(wide ? 'narrow' : 'wide')}
          />
        </div>
      </nav>
      <main id="page" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
        <OfflineNotice />
        {children}
      </main>
      <CommandPalette open={commands} onClose={() => setCommands(false)} pages={PAGES} />
      <KeyboardHelp open={help} onClose={() => setHelp(false)} />
      <Toasts />
    </div>
  );
}
