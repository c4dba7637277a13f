import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import { classes } from './classes';

/** A dialog before everything else; Esc or a click beside it closes it. */
export function Modal(props: {
  open: boolean;
  onClose: () => void;
  label: string;
  onKeyDown?: (event: KeyboardEvent) => void;
  className: string;
  children: ReactNode;
}) {
  const { open, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-label={props.label}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={props.onKeyDown}
      className={classes('floating p-0 text-text backdrop:bg-[rgb(0_0_0/40%)]', props.className)}
    >
      {props.children}
    </dialog>
  );
}
