import { useHotkeyGroups } from './hotkeys';
import { Icon } from './icons';
import { Modal } from './modal';
import { Key } from './tooltip';

const NAMES: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

/** All shortcuts of the page that is open. */
export function KeyboardHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const groups = useHotkeyGroups();
  return (
    <Modal
      open={open}
      onClose={onClose}
      label="Keyboard"
      onKeyDown={(event) => event.key === '?' && onClose()}
      className="m-auto w-[min(34rem,90vw)]"
    >
      <div className="flex items-center justify-between border-b border-line px-4 py-2.5">
        <h2 className="text-sm font-medium">Keyboard</h2>
        {/* No tooltip: it would take the Esc that closes the dialog. */}
        <button
          type="button"
          aria-label="Close"
          onClick={onClose}
          className="flex size-6 items-center justify-center rounded text-muted hover:bg-hover hover:text-text"
        >
          <Icon name="close" size={14} />
        </button>
      </div>
      <div className="grid max-h-[70vh] gap-x-8 gap-y-4 overflow-auto p-4 sm:grid-cols-2">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="mb-1.5 text-xs font-medium text-faint">{group.title}</h3>
            <dl className="space-y-1">
              {group.hotkeys.map(({ keys, shown, label }) => (
                <div key={label} className="flex items-center justify-between gap-3">
                  <dt>{label}</dt>
                  <dd className="flex gap-1">
                    {(shown ?? keys).map((key) => (
                      <Key key={key}>{NAMES[key] ?? key}</Key>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
