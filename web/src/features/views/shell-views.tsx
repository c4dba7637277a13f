import { Icon } from '@/ui/icons';
import { SavedViews } from './views';

/** The saved views of all pages, for the navigation. */
export function ShellViews({ isWide }: { isWide: boolean }) {
  return (
    <SavedViews
      label="Saved views"
      noun="view"
      trigger={
        <button
          type="button"
          aria-label="Saved views"
          className="flex h-8 items-center gap-2.5 rounded-md px-2.5 text-muted hover:bg-hover hover:text-text data-[state=open]:bg-hover"
        >
          <Icon name="bookmark" />
          {isWide && <span className="hidden lg:inline">Saved views</span>}
        </button>
      }
    />
  );
}
