import { useState } from 'react';
import { classes } from './classes';
import { Icon } from './icons';
import { note, noteError } from './toasts';

/** Puts text on the clipboard and says so. */
export async function copy(text: string, what: string) {
  try {
    await navigator.clipboard.writeText(text);
    note(`Copied ${what}`);
    return true;
  } catch (error) {
    noteError(`Could not copy ${what}`, String(error));
    return false;
  }
}

/** A small button that copies; `what` ends the sentence "Copy …". */
export function CopyButton({ text, what, className }: { text: string; what: string; className?: string }) {
  const [done, setDone] = useState(false);
  const run = async () => {
    if (!(await copy(text, what))) return;
    setDone(true);
    setTimeout(() => setDone(false), 1_200);
  };
  return (
    <button
      type="button"
      title={`Copy ${what}`}
      aria-label={`Copy ${what}`}
      onClick={() => void run()}
      className={classes(
        'inline-flex size-5 shrink-0 items-center justify-center rounded text-faint hover:bg-hover hover:text-text',
        className,
      )}
    >
      <Icon name={done ? 'check' : 'copy'} size={13} {...(done ? { className: 'text-ok' } : {})} />
    </button>
  );
}
